/// \file
/// An activation that is chosen while the program runs, and its gradient: for the operations that
/// take activations in (kit/epilogue.hpp).
#pragma once

#include <ebb/ops/elementwise/activated_cpu.hpp>
#include <ebb/ops/present.hpp>
#include <ebb/tape/lift.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

#define EBB_NAME(name, formula) , #name
inline constexpr const char* activation_names[] = {"none" EBB_ACTIVATIONS(EBB_NAME)};
#undef EBB_NAME

/// The gradient of what went into an activation, from that of the result: dy itself where there was
/// no activation, else in dy's memory where nobody else holds it.
template <class Tens>
Tens before_activation(const Activation& activation, const Tens& kept, const Tens& dy) {
  if (activation.kind == Activation::none) return dy;
  Tens dx = dy.shared() ? Tens(dy.shape()) : dy;
  activate_backward(typename Tens::device{}, activation, dy.size(), kept.data(), dy.data(),
                    dx.mutable_data());
  return dx;
}

/// The activation of a variable as an operation of its own: for those whose slope their results do
/// not tell, so that what goes in is kept.
template <class X>
auto activated(const Activation& activation, const X& x) {
  using Tens = tensor_of<X>;
  const Tens kept = value(x);
  Tens y = kept.clone();
  activate(typename Tens::device{}, activation, y.size(), y.mutable_data());
  return track(
      activation_names[activation.kind], std::move(y),
      [activation, kept, dx = sink(x)](const auto& dy) {
        if (dx) dx.give(before_activation(activation, kept, dy));
      },
      x);
}

/// What is added to a result must look like it: broadcasting would hide a mistake.
template <int N>
void check_added(const char* op, const std::string& layer, const Shape<N>& added,
                 const Shape<N>& result) {
  if (!(added == result))
    throw ShapeError(message(op, layer, ": what is added to the result has shape ", added,
                             ", but the result has ", result, "; they must be the same"));
}

/// The epilogue of an operation's operands, of which bias and addition may be absent.
template <class T, class B, class S>
kernel::Epilogue<T> epilogue_of(const B& bias, const S& add, const Activation& activation) {
  return {present(bias) ? value(bias).data() : nullptr, present(add) ? value(add).data() : nullptr,
          activation};
}

/// `f(activation, operands...)`, an operation that takes an activation in; where a gradient may be
/// wanted and the result does not tell the slope, the activation follows as an operation of its
/// own. Plain operands beside dual ones are constants.
template <class F, Operand X, Operand... Rest>
auto with_activation(const Activation& activation, const F& f, const X& x, const Rest&... rest) {
  if constexpr (MixesDual<X, Rest...>) {
    return with_lifted([&](const auto&... all) { return with_activation(activation, f, all...); },
                       x, rest...);
  } else {
    if constexpr (is_var<X> || (is_var<Rest> || ...))
      if (!activation.known_by_result()) return activated(activation, f(Activation{}, x, rest...));
    return f(activation, x, rest...);
  }
}

}  // namespace detail

}  // namespace ebb
