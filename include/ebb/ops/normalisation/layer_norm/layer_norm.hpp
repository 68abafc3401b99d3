/// \file
/// Layer normalisation.
#pragma once

#include <ebb/kit/slab.hpp>
#include <ebb/ops/normalisation/layer_norm/cpu.hpp>
#include <ebb/ops/optional_operand.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

template <int M, Operand X, Operand W, Operand B>
auto layer_norm(const X& x, const Shape<M>& normalized, const W& weight, const B& bias,
                double eps) {
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const std::string layer = layer_of_either(weight, bias);
  const auto g = kernel::LayerNormGeometry::of(layer, x.shape(), normalized);
  const auto check = [&](const char* name, const auto& v) {
    if (v.defined() && !(v.shape() == normalized))
      throw ShapeError(message("layer_norm", layer, ": ", name, " has shape ", v.shape(),
                               ", but the normalised shape is ", normalized));
  };
  check("the weight", value(weight));
  check("the bias", value(bias));

  if (g.rows == 0)
    return track_empty(LayerOp("layer_norm"), tensor_of<X>(x.shape()), x, weight, bias);
  const Tensor<T, 1, Device> mean(Shape<1>{g.rows}), inv_std(Shape<1>{g.rows});
  row_statistics(Device{}, g.rows, g.length, eps, kernel::flat(value(x).view()), mean.mut(),
                 inv_std.mut());
  tensor_of<X> y(x.shape());
  layer_norm_apply(Device{}, g, kernel::flat(value(x).view()), mean.view(), inv_std.view(),
                   kernel::flat(optional_view(weight)), kernel::flat(optional_view(bias)),
                   kernel::flat(y.mut()));
  return track(
      LayerOp("layer_norm", g.size()), y,
      [g, mean, inv_std, saved = value(x), w = value(weight), dx = sink(x), dw = sink(weight),
       db = sink(bias)](const auto& dy) {
        const auto x_view = kernel::flat(saved.view()), up = kernel::flat(dy.view());
        if (dx)
          layer_norm_backward(Device{}, g, x_view, up, mean.view(), inv_std.view(),
                              kernel::flat(optional_view(w)), kernel::flat(dx.into()));
        if (dw || db)
          layer_norm_affine_backward(Device{}, g, x_view, up, mean.view(), inv_std.view(),
                                     dw ? kernel::flat(dw.into()) : Into<T, 1>{},
                                     db ? kernel::flat(db.into()) : Into<T, 1>{});
      },
      x, weight, bias);
}

}  // namespace detail

/// x (..., s) -> the same shape: (x - mean) / sqrt(variance + eps) * weight + bias, with mean and
/// (biased) variance over the trailing axes s = `normalized`; weight and bias, each of shape s, may
/// be absent parameters. Saves x, mean and 1 / deviation. Ba, Kiros & Hinton, "Layer
/// normalization", arXiv:1607.06450 (2016).
/// \throws ShapeError when x does not end in s.
template <Operand X, int M, Operand W, Operand B>
requires SameKind<X, W, B>
auto layer_norm(const X& x, const Shape<M>& normalized, const W& weight, const B& bias,
                double eps = 1e-5) {
  static_assert(M >= 1 && M <= rank_of<X>,
                "ebb::layer_norm: the normalised shape must have at least one axis, and no more "
                "than the input");
  static_assert(rank_of<W> == M && rank_of<B> == M,
                "ebb::layer_norm: weight and bias must have the rank of the normalised shape");
  return detail::with_optional(weight, [&](const auto& w) {
    return detail::with_optional(
        bias, [&](const auto& b) { return detail::layer_norm(x, normalized, w, b, eps); });
  });
}

/// The same without weight and bias.
template <Operand X, int M>
auto layer_norm(const X& x, const Shape<M>& normalized, double eps = 1e-5) {
  using Absent = Tensor<scalar_of<X>, M, device_of<X>>;
  return layer_norm(x, normalized, Absent(), Absent(), eps);
}

/// The same where weight and bias tell the shape; if both are absent, their rank tells how many
/// trailing axes are normalised.
template <Operand X, Operand W, Operand B>
requires SameKind<X, W, B>
auto layer_norm(const X& x, const W& weight, const B& bias, double eps = 1e-5) {
  constexpr int M = rank_of<W>;
  static_assert(M <= rank_of<X>, "ebb::layer_norm: the weight has more axes than the input");
  return detail::with_optional(weight, [&](const auto& w) {
    return detail::with_optional(bias, [&](const auto& b) {
      Shape<M> normalized{};
      if (detail::present(w))
        normalized = w.shape();
      else if (detail::present(b))
        normalized = b.shape();
      else
        for (int k = 0; k < M; ++k) normalized[k] = x.shape()[rank_of<X> - M + k];
      return detail::layer_norm(x, normalized, w, b, eps);
    });
  });
}

/// The same where x is of dual numbers, and weight and bias are constants.
template <Operand X, int M, Operand W, Operand B>
requires MixesDual<X, W, B>
auto layer_norm(const X& x, const Shape<M>& normalized, const W& weight, const B& bias,
                double eps = 1e-5) {
  return with_lifted(
      [&](const auto& z, const auto&... rest) { return layer_norm(z, normalized, rest..., eps); },
      x, weight, bias);
}
template <Operand X, Operand W, Operand B>
requires MixesDual<X, W, B>
auto layer_norm(const X& x, const W& weight, const B& bias, double eps = 1e-5) {
  return with_lifted([&](const auto&... all) { return layer_norm(all..., eps); }, x, weight, bias);
}

}  // namespace ebb
