/// \file
/// The leaky rectified linear unit.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = x where x > 0, a x elsewhere; dx = dy or a dy alike (a at zero, as PyTorch has it).
/// `leaky_relu(x)` has a = 0.01; `leaky_relu(x, 0.2)` and the layer `LeakyRelu{0.2}` choose it.
/// Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
struct LeakyRelu : Elementwise<LeakyRelu> {
  static constexpr const char* name = "leaky_relu";
  double negative_slope;

  constexpr explicit LeakyRelu(double a = 0.01) : negative_slope(a) {}

  template <class T>
  EBB_HD T value(T x) const {
    return math::select(x > T(0), x, T(negative_slope) * x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::select(x > T(0), T(1), T(negative_slope));
  }

  using Elementwise::operator();
  template <Operand X>
  auto operator()(const X& x, double a) const {
    return LeakyRelu(a)(x);
  }
};
inline constexpr LeakyRelu leaky_relu;

}  // namespace ebb
