/// \file
/// Two-dimensional convolution.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/present.hpp>
#include <ebb/tape/lift.hpp>

namespace ebb::inline EBB_ABI {
namespace detail {

/// The gradient of what the bias was added to, from that of the result, on the way to which the
/// bias's own is summed up; `out` is the result of a relu, or undefined.
template <class Tens, class Sink>
Tens before_bias(const Tens& out, const Tens& dz, const Sink& db) {
  using Device = typename Tens::device;
  if (!db) return before_activation(out, dz);
  if (!out.defined()) {
    sum_channels(Device{}, dz.view(), db.into());
    return dz;
  }
  Tens dy = dz.shared() ? Tens(dz.shape()) : dz;
  sum_rectified_channels(Device{}, out.view(), dz.view(), dy.mut(), db.into());
  return dy;
}

/// conv2d with a bias that may be absent.
template <class X, class W, class B>
auto conv2d_op(const Conv2dOptions& options, const X& x, const W& w, const B& bias) {
  static_assert(rank_of<X> == 4,
                "ebb::conv2d: the input must have rank 4 (N, C, H, W); reshape() a single image to "
                "(1, C, H, W)");
  static_assert(rank_of<W> == 4,
                "ebb::conv2d: the weight must have rank 4 (out, in / groups, kH, kW)");
  static_assert(rank_of<B> == 1, "ebb::conv2d: the bias must have rank 1 (out)");
  static_assert(SameKind<X, W, B>,
                "ebb::conv2d: input, weight and bias must have one scalar type and live on one "
                "device");
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const Conv2dGeometry g = conv2d_geometry(layer_of(w), x.shape(), w.shape(), options);
  if (present(bias)) check_conv2d_bias("conv2d", layer_of(w), bias.shape(), g.out_channels);

  Tensor<T, 4, Device> y({g.batch, g.out_channels, g.output.height, g.output.width});
  if (g.batch == 0) return track_empty(LayerOp("conv2d"), y, x, w, bias);
  const auto in = value(x);
  const auto weight = value(w);
  const bool rectify = options.activation == Activation::relu;
  conv2d_forward(Device{}, g, in.view(), weight.view(), view_or_none<T>(bias), y.mut(), rectify);

  const auto out = rectify ? y : Tensor<T, 4, Device>();
  return track(
      LayerOp{rectify ? "conv2d+relu" : "conv2d", g.macs()}, std::move(y),
      [g, in, weight, out, dx = sink(x), dw = sink(w), db = sink(bias)](const auto& dz) {
        const auto dy = before_bias(out, dz, db);
        if (dx)
          conv2d_grad_input(Device{}, g, dy.view(), weight.view(), view_or_none<T>(), dx.into());
        if (dw) conv2d_grad_weight(Device{}, g, in.view(), dy.view(), dw.into());
      },
      x, w, bias);
}

template <class X, class W, class B>
requires MixesDual<X, W, B>
auto conv2d_op(const Conv2dOptions& options, const X& x, const W& w, const B& bias) {
  return with_lifted([&](const auto&... all) { return conv2d_op(options, all...); }, x, w, bias);
}

}  // namespace detail

/// y[n, o, h, w] = sum over c, i, j of x[n, c, h s + i d - p, w s + j d - p] weight[o, c, i, j],
/// the cross-correlation that is called convolution (LeCun et al., "Gradient-based learning applied
/// to document recognition", Proc. IEEE 1998), with zeros outside of the image.
///
/// x (N, C, H, W), weight (out, C / groups, kH, kW); y (N, out, oH, oW) with
/// oH = (H + 2 padding - dilation (kH - 1) - 1) / stride + 1, rounded down; with `.padding = same`
/// oH = H. Options as in PyTorch: `conv2d(x, w, {.stride = 2, .padding = {1, 2}})`. With
/// `.activation = relu` the result is max(0, y), stored once.
/// \throws ShapeError, ValueError when extents or options do not fit together.
template <Operand X, Operand W>
auto conv2d(const X& x, const W& w, const Conv2dOptions& options = {}) {
  return detail::conv2d_op(options, x, w, Tensor<scalar_of<X>, 1, device_of<X>>());
}

/// The same plus a bias (out). A bias that is an absent `Param` counts as none.
template <Operand X, Operand W, Operand B>
auto conv2d(const X& x, const W& w, const B& b, const Conv2dOptions& options = {}) {
  return detail::conv2d_op(options, x, w, b);
}

}  // namespace ebb
