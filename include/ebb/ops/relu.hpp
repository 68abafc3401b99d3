/// \file
/// The rectified linear unit.
#pragma once

#include <ebb/ops/elementwise.hpp>

namespace ebb {

/// y = max(x, 0); dx = dy where y > 0, so that only the output is kept. Not-a-number passes
/// through. Nair & Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML
/// 2010.
struct Relu : Elementwise<Relu> {
  static constexpr const char* name = "relu";
  template <class T>
  EBB_HD T value(T x) const {
    return x < T(0) ? T(0) : x;
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return y > T(0) ? T(1) : T(0);
  }
};
inline constexpr Relu relu;

}  // namespace ebb
