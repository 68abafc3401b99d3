/// \file
/// Whether a number is not a number, or infinite. Compilers that are told that there are none
/// (-ffinite-math-only, part of -ffast-math and -Ofast) answer for themselves whatever asks in
/// floating point, std's functions too; there the bits are looked at.
#pragma once

#include <ebb/core/config.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace ebb::inline EBB_ABI::math {

namespace detail {

EBB_HD inline std::int32_t magnitude_bits(float x) {
  return std::bit_cast<std::int32_t>(x) & 0x7fffffff;
}
EBB_HD inline std::int64_t magnitude_bits(double x) {
  return std::bit_cast<std::int64_t>(x) & 0x7fffffffffffffff;
}
inline constexpr std::int32_t infinity_bits(float) { return 0x7f800000; }
inline constexpr std::int64_t infinity_bits(double) { return 0x7ff0000000000000; }

/// Whether questions must be asked of the bits.
template <class T>
inline constexpr bool asks_bits =
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
    std::is_same_v<T, float> || std::is_same_v<T, double>;
#else
    false;
#endif

}  // namespace detail

/// Whether x is not a number.
template <class T>
EBB_HD inline bool is_nan(const T& x) {
  if constexpr (detail::asks_bits<T>)
    return detail::magnitude_bits(x) > detail::infinity_bits(T());
  else
    return x != x;
}

/// Whether x is infinite, of either sign.
template <class T>
EBB_HD inline bool is_infinite(const T& x) {
  if constexpr (detail::asks_bits<T>)
    return detail::magnitude_bits(x) == detail::infinity_bits(T());
  else
    return x == x && x - x != T(0);
}

/// Neither nan nor infinite.
template <class T>
EBB_HD inline bool is_finite(const T& x) {
  if constexpr (detail::asks_bits<T>)
    return detail::magnitude_bits(x) < detail::infinity_bits(T());
  else
    return x - x == T(0);
}

}  // namespace ebb::math
