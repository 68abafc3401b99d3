/// \file
/// The hyperbolic tangent.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = tanh x; dx = (1 - y^2) dy.
struct Tanh : Elementwise<Tanh> {
  static constexpr const char* name = "tanh";
  static constexpr Index cost = 4;
  template <class T>
  EBB_HD T value(T x) const {
    return math::tanh(x);
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return T(1) - y * y;
  }
};

template <Operand X>
auto tanh(const X& x) {
  return Tanh{}(x);
}

EBB_COMPILED_ELEMENTWISE(Tanh)

}  // namespace ebb
