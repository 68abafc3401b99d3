/// \file
/// The affine map of a fully connected layer.
#pragma once

#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/linear_algebra/linear/deferred.hpp>
#include <ebb/ops/present.hpp>
#include <ebb/tape/lift.hpp>

namespace ebb::inline EBB_ABI {
namespace detail {

template <Operand X, Operand W>
Shape<rank_of<X>> linear_shape(const X& x, const W& w) {
  constexpr int last = rank_of<X> - 1;
  Shape<rank_of<X>> shape = x.shape();
  if (shape[last] != w.shape()[1])
    throw ShapeError(message("linear", layer_of(w), ": the weight ", w.shape(), " expects ",
                             w.shape()[1], " features, but the input ", shape, " has ", shape[last],
                             rank_of<X> == 2 ? "; flatten() an image first" : ""));
  shape[last] = w.shape()[0];
  return shape;
}

/// A tensor's last axis against all others together.
template <int N>
Shape<2> as_matrix(const Shape<N>& shape) {
  Index rows = 1;
  for (int axis = 0; axis + 1 < N; ++axis) rows *= shape[axis];
  return {rows, shape[N - 1]};
}
template <class T, int N>
Into<T, 2> as_matrix(const Into<T, N>& into) {
  return {into.data, as_matrix(into.shape), into.add};
}

/// linear with a bias that may be absent.
template <class X, class W, class B>
auto linear_op(Activation activation, const X& x, const W& w, const B& bias) {
  static_assert(rank_of<X> >= 2,
                "ebb::linear: the input must have rank 2 or more, (..., features); reshape() a "
                "single sample to (1, features)");
  static_assert(rank_of<W> == 2, "ebb::linear: the weight must have rank 2, (out, in)");
  static_assert(rank_of<B> == 1, "ebb::linear: the bias must have rank 1, (out)");
  static_assert(SameKind<X, W, B>,
                "ebb::linear: input, weight and bias must have one scalar type and live on one "
                "device");
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const auto shape = linear_shape(x, w);
  if (present(bias) && bias.shape()[0] != w.shape()[0])
    throw ShapeError(message("linear", layer_of(w), ": the weight ", w.shape(), " has ",
                             w.shape()[0], " outputs, but the bias has ", bias.shape()[0],
                             " elements"));

  Tensor<T, rank_of<X>, Device> y(shape);
  const Shape<2> rows_in = as_matrix(x.shape()), rows_out = as_matrix(shape);
  const auto in = value(x).reshape(rows_in);
  const auto weight = value(w);
  const bool rectify = activation == Activation::relu;
  linear_forward(Device{}, in.view(), weight.view(), view_or_none<T>(bias), rectify,
                 View<T, 2>{y.mutable_data(), rows_out});

  const auto out = rectify ? y : Tensor<T, rank_of<X>, Device>();
  const LayerOp op{rectify ? "linear+relu" : "linear", y.size() * w.shape()[1]};
  return track(
      op, std::move(y),
      [in, weight, out, rows_out, dx = sink(x), dw = sink(w), db = sink(bias)](const auto& dz) {
        const auto g = before_activation(out, dz).reshape(rows_out);
        if (dx) gemm(Device{}, {}, g.view(), weight.view(), as_matrix(dx.into()));
        if (dw) linear_grad_weight(dw, g, in, bool(dx));
        if (db) sum_rows(Device{}, g.view(), db.into());
      },
      x, w, bias);
}

template <class X, class W, class B>
requires MixesDual<X, W, B>
auto linear_op(Activation activation, const X& x, const W& w, const B& bias) {
  return with_lifted([&](const auto&... all) { return linear_op(activation, all...); }, x, w, bias);
}

}  // namespace detail

/// y = x w^T for inputs x (..., in) of rank 2 or more and a weight w (out, in); y is (..., out).
/// dx = dy w, dw = dy^T x, both over all rows. `linear(x, w, relu)` is max(0, y), stored once.
/// \throws ShapeError when x does not have the features that w expects.
template <Operand X, Operand W>
auto linear(const X& x, const W& w, Activation activation = Activation::none) {
  return detail::linear_op(activation, x, w, Tensor<scalar_of<X>, 1, device_of<X>>());
}

/// y = x w^T + b for a bias b (out); db is the sum of dy over all rows. A bias that is an absent
/// `Param` counts as none. `linear(x, w, b, relu)` is max(0, y).
template <Operand X, Operand W, Operand B>
auto linear(const X& x, const W& w, const B& b, Activation activation = Activation::none) {
  return detail::linear_op(activation, x, w, b);
}

}  // namespace ebb
