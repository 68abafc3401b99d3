/// \file
/// Weights and biases that may be absent.
#pragma once

#include <ebb/ops/present.hpp>
#include <ebb/tape/lift.hpp>

namespace ebb::inline EBB_ABI::detail {

/// Calls f(w); an absent parameter goes in as an undefined tensor, which asks for no gradient.
template <Operand W, class F>
auto with_optional(const W& w, F&& f) {
  if constexpr (is_param<W>)
    if (!w.defined()) return f(tensor_of<W>());
  return f(w);
}

/// Its elements, or an empty view.
template <Operand W>
auto optional_view(const W& w) {
  using Seen = decltype(value(w).view());
  return present(w) ? value(w).view() : Seen{};
}

/// " (layer bn1)" from the first of the operands that is a parameter with a name.
template <Operand W, Operand B>
std::string layer_of_either(const W& w, const B& b) {
  std::string layer = present(w) ? layer_of(w) : std::string();
  return layer.empty() && present(b) ? layer_of(b) : layer;
}

/// Whether a tape among the operands repeats an earlier pass.
template <class... X>
bool replays(const X&... operands) {
  bool any = false;
  const auto look = [&any]<class Z>(const Z& z) {
    if constexpr (is_var<Z>) any = any || z.tape().replays();
  };
  (look(operands), ...);
  return any;
}

}  // namespace ebb::detail
