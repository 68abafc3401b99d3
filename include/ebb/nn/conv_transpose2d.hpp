/// \file
/// The transposed convolution layer.
#pragma once

#include <ebb/nn/init.hpp>
#include <ebb/nn/options.hpp>
#include <ebb/ops/convolution/conv_transpose2d.hpp>

namespace ebb::inline EBB_ABI::nn {

struct ConvTransposeOptions {
  Size2 stride = 1;
  Size2 padding = 0;
  Size2 output_padding = 0;
  Index groups = 1;
  bool bias = true;
  Size2 dilation = 1;
};

/// x (n, in, h, w) -> (n, out, h', w'), larger where the stride is above 1.
/// `nn::ConvTranspose2d<>{16, 8, 2, {.stride = 2}}` doubles height and width.
template <class T = float, class Device = Cpu>
struct ConvTranspose2d {
  Param<Tensor<T, 4, Device>> weight;  ///< (in, out / groups, kH, kW)
  Param<Tensor<T, 1, Device>> bias;    ///< (out)
  ConvTranspose2dOptions options;

  /// Without weights, to be assigned to: a call throws.
  ConvTranspose2d() = default;
  /// \throws ValueError when an extent is below 1, or the groups do not divide the channels.
  ConvTranspose2d(Index in, Index out, Size2 kernel, ConvTransposeOptions o = {})
      : options{.stride = o.stride,
                .padding = o.padding,
                .output_padding = o.output_padding,
                .groups = o.groups,
                .dilation = o.dilation} {
    detail::require_positive("conv_transpose2d", "in", in);
    detail::require_positive("conv_transpose2d", "out", out);
    detail::require_positive("conv_transpose2d", "the kernel's height", kernel.height);
    detail::require_positive("conv_transpose2d", "the kernel's width", kernel.width);
    detail::require_groups("conv_transpose2d", in, out, o.groups);
    weight = Tensor<T, 4, Device>({in, out / o.groups, kernel.height, kernel.width});
    if (o.bias) bias = Tensor<T, 1, Device>(Shape{out});
    init::detail::layer_default(weight, bias);
  }

  template <Operand X>
  auto operator()(const X& x) const {
    return conv_transpose2d(x, weight, bias, options);
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
    f("options", self.options);
  }
};

}  // namespace ebb::nn
