/// \file
/// Slopes of functions of two numbers, by the operand that they are for.
#pragma once

#include <ebb/core/config.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Which operand of a binary operation.
enum class Side { a, b };

/// Whether the slope of F for an operand is a constant, `f.slope_a()` or `f.slope_b()`.
template <class F, Side side>
inline constexpr bool constant_slope = [] {
  if constexpr (side == Side::a) return requires(const F& f) {
      f.slope_a();
    };
  else
    return requires(const F& f) { f.slope_b(); };
}();

/// The slope of f for an operand; where it is a constant, a and b do not matter.
template <Side side, class F, class T>
EBB_HD T slope_of(const F& f, T a, T b) {
  if constexpr (constant_slope<F, side>) {
    if constexpr (side == Side::a)
      return T(f.slope_a());
    else
      return T(f.slope_b());
  } else if constexpr (side == Side::a) {
    return f.slope_a(a, b);
  } else {
    return f.slope_b(a, b);
  }
}

}  // namespace ebb::kernel
