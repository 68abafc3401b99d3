/// \file
/// The absolute value.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = |x|; dx = sign(x) dy, zero at zero.
struct Abs : Elementwise<Abs> {
  static constexpr const char* name = "abs";
  template <class T>
  EBB_HD T value(T x) const {
    using std::abs;
    return abs(x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::select(x > T(0), T(1), math::select(x < T(0), T(-1), T(0)));
  }
};

template <Operand X>
auto abs(const X& x) {
  return Abs{}(x);
}

EBB_COMPILED_ELEMENTWISE(Abs)

}  // namespace ebb
