/// \file
/// Group normalisation.
#pragma once

#include <ebb/kit/slab.hpp>
#include <ebb/ops/normalisation/group_norm/cpu.hpp>
#include <ebb/ops/optional_operand.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

template <Operand X, Operand W, Operand B>
auto group_norm(const X& x, Index groups, const W& weight, const B& bias, double eps) {
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const std::string layer = layer_of_either(weight, bias);
  const auto g = kernel::GroupNormGeometry::of(layer, x.shape(), groups);
  const auto check = [&](const char* name, const auto& v) {
    if (v.defined() && v.shape()[0] != g.channels)
      throw ShapeError(message("group_norm", layer, ": the input ", x.shape(), " has ", g.channels,
                               " channels (axis 1), but ", name, " has ", v.shape()[0],
                               " elements"));
  };
  check("the weight", value(weight));
  check("the bias", value(bias));
  if (g.group_size() == 1)
    throw ShapeError(message("group_norm", layer, ": with ", groups, " groups, the input ",
                             x.shape(),
                             " has one value per group, which has no variance; use fewer "
                             "groups"));

  if (g.batch == 0)
    return track_empty(LayerOp("group_norm"), tensor_of<X>(x.shape()), x, weight, bias);
  const Tensor<T, 1, Device> mean(Shape<1>{g.rows()}), inv_std(Shape<1>{g.rows()});
  row_statistics(Device{}, g.rows(), g.group_size(), eps, kernel::flat(value(x).view()), mean.mut(),
                 inv_std.mut());
  tensor_of<X> y(x.shape());
  group_norm_apply(Device{}, g, kernel::flat(value(x).view()), mean.view(), inv_std.view(),
                   optional_view(weight), optional_view(bias), kernel::flat(y.mut()));
  return track(
      LayerOp("group_norm", g.size()), y,
      [g, mean, inv_std, saved = value(x), w = value(weight), dx = sink(x), dw = sink(weight),
       db = sink(bias)](const auto& dy) {
        const auto x_view = kernel::flat(saved.view()), up = kernel::flat(dy.view());
        if (dx)
          group_norm_backward(Device{}, g, x_view, up, mean.view(), inv_std.view(),
                              optional_view(w), kernel::flat(dx.into()));
        if (dw || db)
          group_norm_affine_backward(Device{}, g, x_view, up, mean.view(), inv_std.view(),
                                     dw ? dw.into() : Into<T, 1>{}, db ? db.into() : Into<T, 1>{});
      },
      x, weight, bias);
}

}  // namespace detail

/// x (n, c, ...) -> the same shape: (x - mean) / sqrt(variance + eps) * weight + bias, with mean
/// and (biased) variance over each of `groups` groups of neighbouring channels of a sample; weight
/// and bias, each (c), may be absent parameters. Saves x, mean and 1 / deviation. Wu & He, "Group
/// normalization", ECCV 2018. With as many groups as channels it is instance normalisation.
/// \throws ValueError when the groups do not divide the channels, ShapeError on other mismatches.
template <Operand X, Operand W, Operand B>
requires SameKind<X, W, B>
auto group_norm(const X& x, Index groups, const W& weight, const B& bias, double eps = 1e-5) {
  static_assert(rank_of<X> >= 2, "ebb::group_norm: the input must be (batch, channels, ...)");
  static_assert(rank_of<W> == 1 && rank_of<B> == 1,
                "ebb::group_norm: weight and bias must have rank 1, one element per channel");
  return detail::with_optional(weight, [&](const auto& w) {
    return detail::with_optional(
        bias, [&](const auto& b) { return detail::group_norm(x, groups, w, b, eps); });
  });
}

/// The same without weight and bias.
template <Operand X>
auto group_norm(const X& x, Index groups, double eps = 1e-5) {
  using Vector = Tensor<scalar_of<X>, 1, device_of<X>>;
  return group_norm(x, groups, Vector(), Vector(), eps);
}

/// The same where x is of dual numbers, and weight and bias are constants.
template <Operand X, Operand W, Operand B>
requires MixesDual<X, W, B>
auto group_norm(const X& x, Index groups, const W& weight, const B& bias, double eps = 1e-5) {
  return with_lifted(
      [&](const auto& z, const auto&... rest) { return group_norm(z, groups, rest..., eps); }, x,
      weight, bias);
}

}  // namespace ebb
