/// \file
/// The affine map of a fully connected layer.
#pragma once

#include <ebb/ops/elementwise/activated.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/linear_algebra/linear/deferred.hpp>
#include <ebb/ops/present.hpp>

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

inline void check_linear_bias(const std::string& layer, const Shape<2>& w, const Shape<1>& bias) {
  if (bias[0] != w[0])
    throw ShapeError(message("linear", layer, ": the weight ", w, " has ", w[0],
                             " outputs, but the bias has ", bias[0], " elements"));
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

inline const char* linear_name(const Activation& activation, bool adds) {
#define EBB_NAME(name, formula) , "linear+" #name
  constexpr const char* plain[] = {"linear" EBB_ACTIVATIONS(EBB_NAME)};
#undef EBB_NAME
#define EBB_NAME(name, formula) , "linear+add+" #name
  constexpr const char* with_add[] = {"linear+add" EBB_ACTIVATIONS(EBB_NAME)};
#undef EBB_NAME
  return (adds ? with_add : plain)[activation.kind];
}

/// linear with a bias and an addition that may be absent, and an activation whose slope the result
/// tells where a gradient may be wanted.
template <class X, class W, class B, class S>
auto linear_with(const Activation& activation, const X& x, const W& w, const B& bias,
                 const S& add) {
  static_assert(rank_of<X> >= 2,
                "ebb::linear: the input must have rank 2 or more, (..., features); reshape() a "
                "single sample to (1, features)");
  static_assert(rank_of<W> == 2, "ebb::linear: the weight must have rank 2, (out, in)");
  static_assert(rank_of<B> == 1, "ebb::linear: the bias must have rank 1, (out)");
  static_assert(rank_of<S> == rank_of<X>,
                "ebb::linear: what is added must have the rank of the input, as the result has");
  static_assert(SameKind<X, W, B, S>,
                "ebb::linear: input, weight and bias must have one scalar type and live on one "
                "device");
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const auto shape = linear_shape(x, w);
  if (present(bias)) check_linear_bias(layer_of(w), w.shape(), bias.shape());

  Tensor<T, rank_of<X>, Device> y(shape);
  const Shape<2> rows_in = as_matrix(x.shape()), rows_out = as_matrix(shape);
  const auto in = value(x).reshape(rows_in);
  const auto weight = value(w);
  const bool adds = present(add);
  if (adds) check_added("linear", layer_of(w), add.shape(), shape);
  linear_forward(Device{}, in.view(), weight.view(), View<T, 2>{y.mutable_data(), rows_out},
                 epilogue_of<T>(bias, add, activation));

  const auto out = activation.kind != Activation::none ? y : Tensor<T, rank_of<X>, Device>();
  const LayerOp op{linear_name(activation, adds), y.size() * w.shape()[1]};
  return track(
      op, std::move(y),
      [activation, in, weight, out, rows_out, dx = sink(x), dw = sink(w), db = sink(bias),
       da = sink(add)](const auto& dz) {
        const auto dy = before_activation(activation, out, dz);
        const auto g = dy.reshape(rows_out);
        if (dx) gemm(Device{}, {}, g.view(), weight.view(), as_matrix(dx.into()));
        if (dw) linear_grad_weight(dw, g, in, bool(dx));
        if (db) sum_rows(Device{}, g.view(), db.into());
        if (da) da.give(dy);
      },
      x, w, bias, add);
}

template <class... Operands>
auto linear_op(const Activation& activation, const Operands&... operands) {
  return with_activation(
      activation,
      [](const Activation& within, const auto&... all) { return linear_with(within, all...); },
      operands...);
}

}  // namespace detail

/// y = x w^T for inputs x (..., in) of rank 2 or more and a weight w (out, in); y is (..., out).
/// dx = dy w, dw = dy^T x, both over all rows. `linear(x, w, relu)` is relu(y), stored once; so for
/// relu6, leaky_relu, sigmoid, silu, hard_swish and Clamp{a, b}.
/// \throws ShapeError when x does not have the features that w expects.
template <Operand X, Operand W>
auto linear(const X& x, const W& w, Activation activation = Activation::none) {
  return detail::linear_op(activation, x, w, Tensor<scalar_of<X>, 1, device_of<X>>(),
                           Tensor<scalar_of<X>, rank_of<X>, device_of<X>>());
}

/// y = x w^T + b for a bias b (out); db is the sum of dy over all rows. A bias that is an absent
/// `Param` counts as none. `linear(x, w, b, relu)` is max(0, y).
template <Operand X, Operand W, Operand B>
auto linear(const X& x, const W& w, const B& b, Activation activation = Activation::none) {
  return detail::linear_op(activation, x, w, b, Tensor<scalar_of<X>, rank_of<X>, device_of<X>>());
}

/// The same plus `add`, of the result's shape, before the activation: `linear(x, w, b, relu, skip)`
/// is relu(linear(x, w, b) + skip), stored once.
/// \throws ShapeError when `add` has another shape.
template <Operand X, Operand W, Operand B, Operand S>
auto linear(const X& x, const W& w, const B& b, Activation activation, const S& add) {
  return detail::linear_op(activation, x, w, b, add);
}

}  // namespace ebb
