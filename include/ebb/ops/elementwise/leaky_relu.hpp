/// \file
/// The leaky rectified linear unit.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = x where x > 0, a x elsewhere; dx = dy or a dy alike (a at zero, as PyTorch has it).
/// `leaky_relu(x)` has a = 0.01; `leaky_relu(x, 0.2)` and the layer `LeakyRelu{0.2}` choose it.
/// Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
struct LeakyRelu : Elementwise<LeakyRelu>, formula::LeakyRelu {
  static constexpr const char* name = "leaky_relu";

  constexpr explicit LeakyRelu(double a = 0.01) : formula::LeakyRelu{a} {}
  /// As an option of another operation: `.activation = leaky_relu`.
  constexpr operator Activation() const { return {Activation::leaky_relu, negative_slope}; }

  using Elementwise::operator();
  template <Operand X>
  auto operator()(const X& x, double a) const {
    return LeakyRelu(a)(x);
  }
};
inline constexpr LeakyRelu leaky_relu;

}  // namespace ebb
