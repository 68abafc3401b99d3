/// \file
/// An activation that is chosen while the program runs, and its gradient: for the operations that
/// take activations in (kit/epilogue.hpp).
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/epilogue_tile.hpp>
#include <ebb/ops/present.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

/// Kernel: y = activation(y) for n numbers.
template <class T>
void activate(Cpu, const Activation& activation, Index n, T* y) {
  constexpr Index cost = 4;
  const simd::Afterwards<T> run(y, nullptr, activation);
  parallel_for(detail::divide_up(n, chunk), n * cost,
               [&](Index piece) { run(y + piece * chunk, std::min(chunk, n - piece * chunk)); });
}

/// Kernel: dx = slope dy for n numbers. `kept` holds the results of the activation, or where these
/// do not tell its slope what went in. dx may be dy.
template <class T>
void activate_grad(Cpu, const Activation& activation, Index n, const T* kept, const T* dy, T* dx) {
  constexpr Index cost = 4;
  parallel_ranges(n, cost, [&](Index begin, Index end) {
    const T *const at = kept, *const from = dy;
    T* const to = dx;
    activation.visit([=](const auto& f) {
      EBB_SIMD
      for (Index i = begin; i < end; ++i) to[i] = detail::slope_by(f, at[i]) * from[i];
    });
  });
}

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
  activate_grad(typename Tens::device{}, activation, dy.size(), kept.data(), dy.data(),
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
Epilogue<T> epilogue_of(const B& bias, const S& add, const Activation& activation) {
  return {present(bias) ? value(bias).data() : nullptr, present(add) ? value(add).data() : nullptr,
          activation};
}

}  // namespace detail

#define EBB_ACTIVATED(T)                                            \
  EBB_COMPILED(void activate<T>(Cpu, const Activation&, Index, T*)) \
  EBB_COMPILED(void activate_grad<T>(Cpu, const Activation&, Index, const T*, const T*, T*))
EBB_ACTIVATED(float)
EBB_ACTIVATED(double)
#undef EBB_ACTIVATED

}  // namespace ebb
