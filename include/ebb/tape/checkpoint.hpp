/// \file
/// Gradient checkpointing: memory for time. Chen, Xu, Zhang & Guestrin, "Training deep nets with
/// sublinear memory cost", arXiv:1604.06174 (2016).
#pragma once

#include <ebb/tape/backward.hpp>

#include <algorithm>
#include <tuple>

namespace ebb::inline EBB_ABI {

namespace detail {

/// Puts the calling thread's generator back where it was, however the scope is left.
struct GeneratorScope {
  Generator kept = default_generator();

  explicit GeneratorScope(const Generator& during) { default_generator() = during; }
  GeneratorScope(const GeneratorScope&) = delete;
  GeneratorScope& operator=(const GeneratorScope&) = delete;
  ~GeneratorScope() { default_generator() = kept; }
};

/// The tape of the first variable among operands.
template <class First, class... Rest>
Tape& tape_of(const First& first, const Rest&... rest) {
  if constexpr (is_var<First>)
    return first.tape();
  else
    return tape_of(rest...);
}

/// An operand on another tape; a plain tensor as it is.
template <Operand X>
auto moved_to(Tape& tape, const tensor_of<X>& x, bool wants_grad) {
  if constexpr (is_var<X>)
    return wants_grad ? tape.watch(x) : tape.input(x);
  else
    return x;
}

/// Hands a gradient that arrived on one tape to the sink of another.
template <Operand X, class Start>
void hand_over(const Sink<X>& to, const Start& start) {
  if constexpr (is_var<X>)
    if (to && start.grad().defined()) to.give(start.grad());
}

/// Hands waiting memory back to the system where there is much of it. A pool's blocks wait for
/// requests of their own size, so that parts of many sizes, one after the other, would between them
/// take as much as is saved.
template <class Device>
void let_go() {
  if constexpr (std::is_same_v<Device, Cpu>) {
    const MemoryStats memory = Device::stats();
    const std::size_t waiting = memory.bytes_reserved - memory.bytes_in_use;
    if (waiting > std::max(std::size_t{64} << 20, memory.bytes_in_use / 4)) Device::trim();
  }
}

/// Something with parts: a network, or one of its layers.
template <class F>
concept HasParts = requires(F& f) {
  F::visit(f, [](auto&&...) {});
};

/// `f` as a tape keeps it. A network that the caller goes on holding is kept by its address, since
/// gradients would gather in the parameters of a copy; anything else by value.
template <class F>
class Kept {
  static constexpr bool by_address =
      std::is_lvalue_reference_v<F> && HasParts<std::remove_cvref_t<F>>;

  using Held = std::conditional_t<by_address, std::remove_reference_t<F>*, std::remove_cvref_t<F>>;

 public:
  explicit Kept(std::remove_reference_t<F>& f) : f_(hold(f)) {}
  template <class... X>
  auto operator()(const X&... x) const {
    if constexpr (by_address)
      return (*f_)(x...);
    else
      return f_(x...);
  }

 private:
  static Held hold(std::remove_reference_t<F>& f) {
    if constexpr (by_address)
      return &f;
    else
      return std::forward<F>(f);
  }

  Held f_;
};

}  // namespace detail

/// y = f(x...), remembering only x: the activations inside `f` are freed after the forward pass and
/// computed again when the backward pass arrives. Parameters used inside `f` gather their gradients
/// as usual; random numbers (dropout) repeat exactly, and side effects such as running statistics
/// happen once. The gradients are the same bits as without. On a CPU, memory of which much waits to
/// be used again goes back to the system between the parts. `f` is a part of the network, or a
/// lambda that refers to it:
///
///     auto y = ebb::checkpoint(net.block, x);
///     auto z = ebb::checkpoint([&](const auto& h) { return net.head(net.block(h)); }, y);
///
/// A network must be there until the backward pass is over; a lambda is copied into the tape.
/// On plain tensors this is `f(x...)`.
template <class F, Operand... X>
auto checkpoint(F&& f, const X&... x) {
  static_assert(sizeof...(X) > 0, "ebb::checkpoint: give the operands that f is called with");
  if constexpr (!(is_var<X> || ...)) {
    return f(x...);
  } else {
    static_assert(!(is_param<X> || ...),
                  "ebb::checkpoint: use parameters inside f, through a reference to the network; "
                  "its operands are variables and plain tensors");
    detail::Kept<F> kept(f);
    const Generator random = default_generator();
    const Tape& tape = detail::tape_of(x...);

    // A tape of its own: layers see that they are trained, and all it holds is freed at once.
    Op op("checkpoint");
    auto y = [&] {
      Tape scratch({.check_finite = tape.options().check_finite});
      scratch.set_replays(tape.replays());
      const auto end = kept(detail::moved_to<X>(scratch, value(x), false)...);
      op.learns = end.wants_grad();
      return end.value();
    }();
    using Device = typename decltype(y)::device;
    detail::let_go<Device>();

    auto pullback = [kept = std::move(kept), random, saved = std::tuple(value(x)...),
                     sinks = std::tuple(sink(x)...)](const auto& dy) {
      detail::let_go<Device>();
      const detail::GeneratorScope scope(random);
      Tape again;
      again.set_replays(true);
      const auto starts = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple(
            detail::moved_to<X>(again, std::get<I>(saved), bool(std::get<I>(sinks)))...);
      }
      (std::index_sequence_for<X...>{});
      const auto end = std::apply(kept, starts);
      if (end.wants_grad()) backward(end, dy);
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        (detail::hand_over(std::get<I>(sinks), std::get<I>(starts)), ...);
      }
      (std::index_sequence_for<X...>{});
    };
    return track(op, std::move(y), std::move(pullback), x...);
  }
}

}  // namespace ebb
