/// \file
/// The fully connected layer.
#pragma once

#include <ebb/nn/init.hpp>
#include <ebb/nn/options.hpp>
#include <ebb/ops/linear_algebra/linear/linear.hpp>

namespace ebb::inline EBB_ABI::nn {

struct LinearOptions {
  bool bias = true;
  Activation activation = {};  ///< `relu`, `silu`, ...: of the result, while it is stored
};

/// x (..., in) -> x weight^T + bias, (..., out). `nn::Linear<>{784, 64}`, and without bias
/// `nn::Linear<>{784, 64, {.bias = false}}`; with `{.activation = relu}` the rectified result in
/// one pass. `fc(x, relu, skip)` is relu(fc(x) + skip).
template <class T = float, class Device = Cpu>
struct Linear {
  Param<Tensor<T, 2, Device>> weight;  ///< (out, in)
  Param<Tensor<T, 1, Device>> bias;    ///< (out)
  Activation activation;

  /// Without weights, to be assigned to: a call throws.
  Linear() = default;
  /// \throws ValueError when an extent is below 1.
  Linear(Index in, Index out, LinearOptions options = {})
      : weight(Tensor<T, 2, Device>({detail::require_positive("linear", "out", out),
                                     detail::require_positive("linear", "in", in)})),
        activation(options.activation) {
    if (options.bias) bias = Tensor<T, 1, Device>(Shape{out});
    init::detail::layer_default(weight, bias);
  }

  template <Operand X>
  auto operator()(const X& x) const {
    return linear(x, weight, bias, activation);
  }
  /// With the activation that follows taken in, for containers.
  template <Operand X>
  auto operator()(const X& x, Activation next) const {
    return linear(x, weight, bias, activation.kind == Activation::none ? next : activation);
  }

  /// And with an addition to the result before it.
  template <Operand X, Operand S>
  auto operator()(const X& x, Activation next, const S& add) const {
    return linear(x, weight, bias, activation.kind == Activation::none ? next : activation, add);
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
    f("activation", self.activation);
  }
};

}  // namespace ebb::nn
