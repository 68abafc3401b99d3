/// \file
/// Gradient checkpointing: memory for time. Chen, Xu, Zhang & Guestrin, "Training deep nets with
/// sublinear memory cost", arXiv:1604.06174 (2016).
#pragma once

#include <ebb/tape/backward.hpp>

namespace ebb {

/// y = f(x), remembering only x: the activations inside `f` are freed after the forward pass and
/// computed again when the backward pass arrives. Parameters used inside `f` gather their gradients
/// as usual; random numbers (dropout) repeat exactly, and side effects such as running statistics
/// happen once. `f` is copied into the tape, so hand it over as a lambda that refers to the
/// network:
///
///     auto y = ebb::checkpoint([&](const auto& h) { return net.block(h); }, x);
///
/// On a plain tensor this is `f(x)`.
template <class F, Operand X>
auto checkpoint(F f, const X& x) {
  if constexpr (!is_var<X>) {
    return f(x);
  } else {
    const Generator random = default_generator();

    // A tape of its own: layers see that they are trained, and all it holds is freed at once.
    Op op("checkpoint");
    auto y = [&] {
      Tape scratch({.check_finite = x.tape().options().check_finite});
      scratch.set_replays(x.tape().replays());
      const auto end = f(scratch.input(x.value()));
      op.learns = end.wants_grad();
      return end.value();
    }();

    const auto pullback = [f, random, saved = x.value(), dx = sink(x)](const auto& dy) {
      const Generator now = default_generator();
      default_generator() = random;
      Tape again;
      again.set_replays(true);
      const auto start = dx ? again.watch(saved) : again.input(saved);
      const auto end = f(start);
      if (end.wants_grad()) backward(end, dy);
      if (dx && start.grad().defined()) dx.give(start.grad());
      default_generator() = now;
    };
    return track(op, std::move(y), pullback, x);
  }
}

}  // namespace ebb
