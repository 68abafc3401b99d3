/// \file
/// What straight lines of arithmetic are made of, which a compiler turns into vector code: choices
/// without a branch, the bits of floats, sums that are rounded as they are written, the square
/// root.
///
/// Under -ffast-math and -Ofast a compiler may regroup sums, which elementary functions (math.hpp)
/// do not survive: what must be rounded as it is written goes through `as_written` for GCC, and is
/// in a function that begins with EBB_AS_WRITTEN for clang. (docs/numbers.md)
#pragma once

#include <ebb/core/config.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#if defined(__clang__)
#  define EBB_AS_WRITTEN _Pragma("clang fp reassociate(off)")
#else
#  define EBB_AS_WRITTEN
#endif

namespace ebb::inline EBB_ABI::math {

namespace detail {

EBB_HD inline std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }
EBB_HD inline float of_bits(std::uint32_t x) { return std::bit_cast<float>(x); }

template <class T>
inline constexpr bool is_float = std::is_same_v<T, float>;

#if (defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__)) && !defined(__clang__)
/// x, of which the compiler does not know that it is x. (GCC's own barrier,
/// `__builtin_assoc_barrier`, is lost where a loop becomes vectors: GCC 12.)
inline std::uint32_t no_bits = 0;
inline float as_written(float x) { return of_bits(bits(x) | no_bits); }
#else
EBB_HD inline float as_written(float x) { return x; }
#endif

}  // namespace detail

/// `c ? a : b` without a branch: compilers turn chains of conditions into jumps, and then cannot
/// vectorise the loop around them.
template <class T>
EBB_HD inline T select(bool c, const T& a, const T& b) {
  return c ? a : b;
}
EBB_HD inline float select(bool c, float a, float b) {
#if defined(__CUDA_ARCH__)
  return c ? a : b;  // one instruction there
#else
  const std::uint32_t mask = -static_cast<std::uint32_t>(c);
  return detail::of_bits((mask & detail::bits(a)) | (~mask & detail::bits(b)));
#endif
}
EBB_HD inline int select(bool c, int a, int b) {
  const auto mask = -static_cast<std::uint32_t>(c);
  return static_cast<int>((mask & static_cast<std::uint32_t>(a)) |
                          (~mask & static_cast<std::uint32_t>(b)));
}

/// sqrt x, in a form that becomes vector code even where a compiler is asked to keep errno (the
/// default), which std's does not. nan below 0.
///
/// GCC knows no scalar expression for the processor's root without errno. There it is found by
/// Newton's method for 1 / sqrt(x) from the old guess by integer arithmetic, and a last step on the
/// root itself: within 1 ulp, in less time than the vector instruction takes.
template <class T>
EBB_HD inline T sqrt(const T& x) {
#if defined(__CUDA_ARCH__)
  // CUDA's rounds correctly.
#elif defined(__GNUC__) && !defined(__clang__) && !defined(__NO_MATH_ERRNO__)
  if constexpr (detail::is_float<T>) {
    using Limits = std::numeric_limits<float>;
    const bool tiny = x < 1e-30f;
    const float v = select(tiny, x * 1099511627776.0f, x);  // 2^40
    const float half = 0.5f * v;
    float t = detail::of_bits(0x5f375a86u - (detail::bits(v) >> 1));
    t = t * (1.5f - half * t * t);
    t = t * (1.5f - half * t * t);
    t = t * (1.5f - half * t * t);
    const float root = v * t;
    const float y = root + 0.5f * t * (v - root * root);
    const float scaled = y * select(tiny, 9.5367431640625e-7f, 1.0f);  // 2^-20
    const float passing = select(x == 0.0f, x, select(x < Limits::infinity(), scaled, x));
    return select(x < 0.0f, Limits::quiet_NaN(), passing);
  }
#elif defined(__clang__) && defined(__SSE2__)
  if constexpr (detail::is_float<T>) {
    typedef float Four __attribute__((vector_size(16)));
    return __builtin_ia32_sqrtss(Four{x, 0, 0, 0})[0];
  } else if constexpr (std::is_same_v<T, double>) {
    typedef double Two __attribute__((vector_size(16)));
    return __builtin_ia32_sqrtsd(Two{x, 0})[0];
  }
#endif
  using std::sqrt;
  return sqrt(x);
}

}  // namespace ebb::math
