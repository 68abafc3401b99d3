/// \file
/// The way back: gradients of a value with respect to everything it depends on.
#pragma once

#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

/// Gradients of `loss` with respect to everything it depends on: parameters gather them in
/// `p.grad()`, watched variables in `x.grad()`. Gradients add up over calls.
/// \throws ValueError when nothing the loss depends on wants a gradient, or when an earlier
/// backward pass released what this one needs.
template <class Tens>
void backward(const Var<Tens>& loss, Retain retain = Retain::no) {
  static_assert(
      Tens::rank == 0,
      "ebb::backward: the loss must be a scalar; reduce it with mean() or sum() first, or "
      "pass the gradient of the result as a second argument");
  backward(loss, Tens::ones(loss.shape()), retain);
}

/// The vector-Jacobian product: starts from `dy`, the gradient of some scalar with respect to `y`.
template <class Tens>
void backward(const Var<Tens>& y, const Tens& dy, Retain retain = Retain::no) {
  auto* node = y.checked_node();
  if (node == nullptr)
    throw ValueError(
        "backward: nothing this value depends on wants a gradient; watch() a variable, or use "
        "parameters that are trainable");
  if (!(dy.shape() == y.shape()))
    throw ShapeError(message("backward: the value has shape ", y.shape(),
                             " but the gradient given for it has shape ", dy.shape()));
  const detail::BackwardScope scope;
  y.tape().forget_gradients();
  node->slot.give(dy);
  y.tape().run(retain);
}

/// A plain tensor has no tape to walk back.
template <class T, int N, class Device, class... Rest>
void backward(const Tensor<T, N, Device>&, Rest...) {
  static_assert(N < 0,
                "ebb::backward: this is a plain tensor, so nothing was recorded; make an input of "
                "the computation a variable with tape.input(x) or tape.watch(x)");
}

}  // namespace ebb
