/// \file
/// The square root.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = sqrt x; dx = dy / (2 y), infinite at zero as the true slope is.
struct Sqrt : Elementwise<Sqrt> {
  static constexpr const char* name = "sqrt";
  static constexpr Index cost = 4;
  template <class T>
  EBB_HD T value(T x) const {
    return math::sqrt(x);
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return T(0.5) / y;
  }
};

template <Operand X>
auto sqrt(const X& x) {
  return Sqrt{}(x);
}

EBB_COMPILED_ELEMENTWISE(Sqrt)

}  // namespace ebb
