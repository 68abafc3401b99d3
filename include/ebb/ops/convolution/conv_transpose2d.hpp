/// \file
/// Transposed two-dimensional convolution.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu.hpp>
#include <ebb/ops/present.hpp>
#include <ebb/tape/lift.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

struct ConvTranspose2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;
  Size2 output_padding = 0;
  Index groups = 1;
  Size2 dilation = 1;
};

namespace detail {

/// The geometry of the convolution that this is the transpose of: its input is our output.
/// \throws ShapeError, ValueError when extents or options do not fit together.
inline kernel::Conv2dGeometry conv_transpose2d_geometry(const std::string& layer, const Shape<4>& x,
                                                        const Shape<4>& w,
                                                        const ConvTranspose2dOptions& options) {
  const char* op = "conv_transpose2d";
  const Size2 stride = options.stride, padding = options.padding, dilation = options.dilation;
  const Size2 extra = options.output_padding;
  kernel::detail::check_conv2d_options(op, layer, stride, padding, dilation, options.groups);
  if (extra.height < 0 || extra.width < 0 ||
      extra.height >= std::max(stride.height, dilation.height) ||
      extra.width >= std::max(stride.width, dilation.width))
    throw ValueError(message(op, layer, ": the output padding is ", extra,
                             "; it must be 0 or more "
                             "and smaller than the stride ",
                             stride, " or the dilation ", dilation));
  kernel::detail::check_conv2d_shapes(op, layer, x, w);
  if (w[0] != x[1])
    throw ShapeError(message(op, layer, ": the weight ", w, " expects ", w[0],
                             " input channels, but the input ", x, " has ", x[1],
                             "; the weight of a transposed convolution is (in, out / groups, kH, "
                             "kW)"));
  if (x[1] % options.groups != 0)
    throw ShapeError(message(op, layer, ": ", options.groups, " groups do not divide ", x[1],
                             " input channels (input ", x, ", weight ", w, ")"));

  kernel::Conv2dGeometry g;
  g.batch = x[0], g.in_channels = w[1] * options.groups, g.out_channels = x[1];
  g.groups = options.groups;
  g.output = {x[2], x[3]}, g.kernel = {w[2], w[3]};
  g.stride = stride, g.padding = padding, g.dilation = dilation;
  const Size2 window = kernel::detail::reach(g.kernel, dilation);
  g.input = {(x[2] - 1) * stride.height - 2 * padding.height + window.height + extra.height,
             (x[3] - 1) * stride.width - 2 * padding.width + window.width + extra.width};
  if (g.input.height < 1 || g.input.width < 1)
    throw ShapeError(message(op, layer, ": the padding ", padding,
                             " leaves nothing of the output: "
                             "an image of ",
                             g.output, " would become ", g.input));
  return g;
}

/// conv_transpose2d with a bias that may be absent.
template <class X, class W, class B>
auto conv_transpose2d_op(const ConvTranspose2dOptions& options, const X& x, const W& w,
                         const B& bias) {
  static_assert(
      rank_of<X> == 4,
      "ebb::conv_transpose2d: the input must have rank 4 (N, C, H, W); reshape() a single "
      "image to (1, C, H, W)");
  static_assert(rank_of<W> == 4,
                "ebb::conv_transpose2d: the weight must have rank 4 (in, out / groups, kH, kW)");
  static_assert(rank_of<B> == 1, "ebb::conv_transpose2d: the bias must have rank 1 (out)");
  static_assert(SameKind<X, W, B>,
                "ebb::conv_transpose2d: input, weight and bias must have one scalar type and live "
                "on one device");
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const kernel::Conv2dGeometry g =
      conv_transpose2d_geometry(layer_of(w), x.shape(), w.shape(), options);
  if (present(bias))
    kernel::detail::check_conv2d_bias("conv_transpose2d", layer_of(w), bias.shape(), g.in_channels);

  Tensor<T, 4, Device> y({g.batch, g.in_channels, g.input.height, g.input.width});
  if (g.batch == 0) return track_empty(LayerOp("conv_transpose2d"), y, x, w, bias);
  const auto in = value(x);
  const auto weight = value(w);
  conv2d_grad_input(Device{}, g, in.view(), weight.view(), view_or_none<T>(bias),
                    Into<T, 4>{y.mutable_data(), y.shape()});

  return track(
      LayerOp{"conv_transpose2d", g.macs()}, y,
      [g, in, weight, dx = sink(x), dw = sink(w), db = sink(bias)](const auto& dy) {
        if (dx) {
          const auto into = dx.into();
          if (into.add) {
            const tensor_of<X> part(into.shape);
            conv2d_forward(Device{}, g, dy.view(), weight.view(), part.mut());
            accumulate(Device{}, part.view(), into);
          } else {
            conv2d_forward(Device{}, g, dy.view(), weight.view(), into.view());
          }
        }
        if (dw) conv2d_grad_weight(Device{}, g, dy.view(), in.view(), dw.into());
        if (db) sum_channels(Device{}, dy.view(), db.into());
      },
      x, w, bias);
}

template <class X, class W, class B>
requires MixesDual<X, W, B>
auto conv_transpose2d_op(const ConvTranspose2dOptions& options, const X& x, const W& w,
                         const B& bias) {
  return with_lifted([&](const auto&... all) { return conv_transpose2d_op(options, all...); }, x, w,
                     bias);
}

}  // namespace detail

/// The transpose of conv2d as a linear map: every input pixel adds the kernel, scaled by its value,
/// to the output at stride * position - padding (Zeiler et al., "Deconvolutional networks", CVPR
/// 2010). Forward is conv2d's input gradient and backward its forward pass.
///
/// x (N, C, H, W), weight (C, out / groups, kH, kW); y (N, out, oH, oW) with
/// oH = (H - 1) stride - 2 padding + dilation (kH - 1) + output_padding + 1. Options as in PyTorch.
/// \throws ShapeError, ValueError when extents or options do not fit together.
template <Operand X, Operand W>
auto conv_transpose2d(const X& x, const W& w, const ConvTranspose2dOptions& options = {}) {
  return detail::conv_transpose2d_op(options, x, w, Tensor<scalar_of<X>, 1, device_of<X>>());
}

/// The same plus a bias (out). A bias that is an absent `Param` counts as none.
template <Operand X, Operand W, Operand B>
auto conv_transpose2d(const X& x, const W& w, const B& b,
                      const ConvTranspose2dOptions& options = {}) {
  return detail::conv_transpose2d_op(options, x, w, b);
}

}  // namespace ebb
