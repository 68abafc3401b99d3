/// \file
/// Two-dimensional convolution.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu.hpp>
#include <ebb/ops/elementwise/activated.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/present.hpp>

namespace ebb::inline EBB_ABI {
namespace detail {

/// The gradient of what the bias was added to, from that of the result, on the way to which the
/// bias's own is summed up; `out` is the result where an activation was taken in.
template <class Tens, class Sink>
Tens before_bias(const Activation& activation, const Tens& out, const Tens& dz, const Sink& db) {
  using Device = typename Tens::device;
  if (!db || activation.kind != Activation::relu) {
    Tens dy = before_activation(activation, out, dz);
    if (db) sum_channels(Device{}, dy.view(), db.into());
    return dy;
  }
  Tens dy = dz.shared() ? Tens(dz.shape()) : dz;
  sum_rectified_channels(Device{}, out.view(), dz.view(), dy.mut(), db.into());
  return dy;
}

inline const char* conv2d_name(const Activation& activation, bool adds) {
#define EBB_NAME(name, formula) , "conv2d+" #name
  constexpr const char* plain[] = {"conv2d" EBB_ACTIVATIONS(EBB_NAME)};
#undef EBB_NAME
#define EBB_NAME(name, formula) , "conv2d+add+" #name
  constexpr const char* with_add[] = {"conv2d+add" EBB_ACTIVATIONS(EBB_NAME)};
#undef EBB_NAME
  return (adds ? with_add : plain)[activation.kind];
}

/// conv2d with a bias and an addition that may be absent, and an activation whose slope the result
/// tells where a gradient may be wanted.
template <class X, class W, class B, class S>
auto conv2d_with(const Conv2dOptions& options, const X& x, const W& w, const B& bias,
                 const S& add) {
  static_assert(rank_of<X> == 4,
                "ebb::conv2d: the input must have rank 4 (N, C, H, W); reshape() a single image to "
                "(1, C, H, W)");
  static_assert(rank_of<W> == 4,
                "ebb::conv2d: the weight must have rank 4 (out, in / groups, kH, kW)");
  static_assert(rank_of<B> == 1, "ebb::conv2d: the bias must have rank 1 (out)");
  static_assert(rank_of<S> == 4, "ebb::conv2d: what is added must have rank 4, as the result has");
  static_assert(SameKind<X, W, B, S>,
                "ebb::conv2d: input, weight and bias must have one scalar type and live on one "
                "device");
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const kernel::Conv2dGeometry g =
      kernel::detail::conv2d_geometry(layer_of(w), x.shape(), w.shape(), options);
  if (present(bias))
    kernel::detail::check_conv2d_bias("conv2d", layer_of(w), bias.shape(), g.out_channels);

  Tensor<T, 4, Device> y({g.batch, g.out_channels, g.output.height, g.output.width});
  const bool adds = present(add);
  if (adds) check_added("conv2d", layer_of(w), add.shape(), y.shape());
  if (g.batch == 0) return track_empty(LayerOp("conv2d"), y, x, w, bias, add);
  const auto in = value(x);
  const auto weight = value(w);
  const Activation activation = options.activation;
  conv2d_forward(Device{}, g, in.view(), weight.view(), y.mut(),
                 epilogue_of<T>(bias, add, activation));

  const auto out = activation.kind != Activation::none ? y : Tensor<T, 4, Device>();
  return track(
      LayerOp{conv2d_name(activation, adds), g.macs()}, std::move(y),
      [g, activation, in, weight, out, dx = sink(x), dw = sink(w), db = sink(bias),
       da = sink(add)](const auto& dz) {
        const auto dy = before_bias(activation, out, dz, db);
        if (dx)
          conv2d_grad_input(Device{}, g, dy.view(), weight.view(), view_or_none<T>(), dx.into());
        if (dw) conv2d_grad_weight(Device{}, g, in.view(), dy.view(), dw.into());
        if (da) da.give(dy);
      },
      x, w, bias, add);
}

template <class... Operands>
auto conv2d_op(const Conv2dOptions& options, const Operands&... operands) {
  return with_activation(
      options.activation,
      [&options](const Activation& activation, const auto&... all) {
        Conv2dOptions with = options;
        with.activation = activation;
        return conv2d_with(with, all...);
      },
      operands...);
}

}  // namespace detail

/// y[n, o, h, w] = sum over c, i, j of x[n, c, h s + i d - p, w s + j d - p] weight[o, c, i, j],
/// the cross-correlation that is called convolution (LeCun et al., "Gradient-based learning applied
/// to document recognition", Proc. IEEE 1998), with zeros outside of the image.
///
/// x (N, C, H, W), weight (out, C / groups, kH, kW); y (N, out, oH, oW) with
/// oH = (H + 2 padding - dilation (kH - 1) - 1) / stride + 1, rounded down; with `.padding = same`
/// oH = H. Options as in PyTorch: `conv2d(x, w, {.stride = 2, .padding = {1, 2}})`. With
/// `.activation = relu` (or relu6, leaky_relu, sigmoid, silu, hard_swish, Clamp{a, b}) the result
/// is relu(y), stored once. \throws ShapeError, ValueError when extents or options do not fit
/// together.
template <Operand X, Operand W>
auto conv2d(const X& x, const W& w, const Conv2dOptions& options = {}) {
  return detail::conv2d_op(options, x, w, Tensor<scalar_of<X>, 1, device_of<X>>(),
                           Tensor<scalar_of<X>, 4, device_of<X>>());
}

/// The same plus a bias (out). A bias that is an absent `Param` counts as none.
template <Operand X, Operand W, Operand B>
auto conv2d(const X& x, const W& w, const B& b, const Conv2dOptions& options = {}) {
  return detail::conv2d_op(options, x, w, b, Tensor<scalar_of<X>, 4, device_of<X>>());
}

/// The same plus `add`, of the result's shape, before the activation:
/// `conv2d(x, w, b, {.activation = relu}, skip)` is relu(conv2d(x, w, b) + skip), stored once.
/// \throws ShapeError when `add` has another shape.
template <Operand X, Operand W, Operand B, Operand S>
auto conv2d(const X& x, const W& w, const B& b, const Conv2dOptions& options, const S& add) {
  return detail::conv2d_op(options, x, w, b, add);
}

}  // namespace ebb
