/// \file
/// The exponential function.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = e^x; dx = y dy.
struct Exp : Elementwise<Exp> {
  static constexpr const char* name = "exp";
  static constexpr Index cost = 4;
  template <class T>
  EBB_HD T value(T x) const {
    return math::exp(x);
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return y;
  }
};

template <Operand X>
auto exp(const X& x) {
  return Exp{}(x);
}

EBB_COMPILED_ELEMENTWISE(Exp)

}  // namespace ebb
