/// \file
/// The convolution layer.
#pragma once

#include <ebb/nn/init.hpp>
#include <ebb/nn/options.hpp>
#include <ebb/ops/convolution/conv2d/conv2d.hpp>

namespace ebb::inline EBB_ABI::nn {

struct ConvOptions {
  Size2 stride = 1;
  Padding2 padding = 0;  ///< numbers, or `same`
  Size2 dilation = 1;
  Index groups = 1;
  bool bias = true;
  Activation activation = {};  ///< `relu`, `silu`, ...: of the result, while it is stored
};

/// x (n, in, h, w) -> (n, out, h', w'). `nn::Conv2d<>{1, 16, 3, {.padding = 1}}`, and with
/// `.activation = relu` the rectified result in one pass.
template <class T = float, class Device = Cpu>
struct Conv2d {
  Param<Tensor<T, 4, Device>> weight;  ///< (out, in / groups, kH, kW)
  Param<Tensor<T, 1, Device>> bias;    ///< (out)
  Conv2dOptions options;

  /// Without weights, to be assigned to: a call throws.
  Conv2d() = default;
  /// \throws ValueError when an extent is below 1, or the groups do not divide the channels.
  Conv2d(Index in, Index out, Size2 kernel, ConvOptions o = {})
      : options{o.stride, o.padding, o.dilation, o.groups, o.activation} {
    detail::require_positive("conv2d", "in", in);
    detail::require_positive("conv2d", "out", out);
    detail::require_positive("conv2d", "the kernel's height", kernel.height);
    detail::require_positive("conv2d", "the kernel's width", kernel.width);
    detail::require_groups("conv2d", in, out, o.groups);
    weight = Tensor<T, 4, Device>({out, in / o.groups, kernel.height, kernel.width});
    if (o.bias) bias = Tensor<T, 1, Device>(Shape{out});
    init::detail::layer_default(weight, bias);
  }

  template <Operand X>
  auto operator()(const X& x) const {
    return conv2d(x, weight, bias, options);
  }
  /// With the activation that follows taken in, for containers.
  template <Operand X>
  auto operator()(const X& x, Activation next) const {
    return conv2d(x, weight, bias, options_with(next));
  }
  /// And with an addition to the result before it: `conv(x, relu, skip)` is relu(conv(x) + skip).
  template <Operand X, Operand S>
  auto operator()(const X& x, Activation next, const S& add) const {
    return conv2d(x, weight, bias, options_with(next), add);
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
    f("options", self.options);
  }

 private:
  Conv2dOptions options_with(Activation next) const {
    Conv2dOptions with = options;
    if (with.activation.kind == Activation::none) with.activation = next;
    return with;
  }
};

}  // namespace ebb::nn
