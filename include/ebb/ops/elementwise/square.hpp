/// \file
/// The square.
#pragma once

#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = x^2; dx = 2 x dy.
struct Square : Elementwise<Square> {
  static constexpr const char* name = "square";
  template <class T>
  EBB_HD T value(T x) const {
    return x * x;
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return x + x;
  }
};

template <Operand X>
auto square(const X& x) {
  return Square{}(x);
}

EBB_COMPILED_ELEMENTWISE(Square)

}  // namespace ebb
