/// \file
/// Parameters that the loss teaches and nobody trains: a layer that `visit` forgets, most of the
/// time.
#pragma once

#include <ebb/nn/visit.hpp>

#include <string>

namespace ebb::inline EBB_ABI::optim {

/// Says that the parameters of `net` may have gradients though no optimizer is given them: somebody
/// updates them by hand, or reads the gradients.
template <class Net>
void untrained(const Net& net) {
  nn::visit_parameters(
      net, [](const std::string&, const auto& p) { p.cell()->arrival.expected = true; });
}

namespace detail {

/// Of the last backward pass, where `reached_by(its number)`: that it came to a parameter of the
/// optimizer that asks.
/// \throws ValueError naming the parameters that it left a gradient in, and that no optimizer was
/// given.
template <class Reached>
void require_no_orphans(const char* optimizer, const Reached& reached_by) {
  const auto& orphans = ebb::detail::BackwardPass::orphans();
  if (orphans.empty() || !reached_by(ebb::detail::BackwardPass::here().number)) return;
  std::string names;
  std::size_t count = 0;
  for (const auto& orphan : orphans)
    if (const auto cell = orphan.cell.lock())
      if (std::string one = orphan.describe(cell.get()); !one.empty() && ++count <= 3)
        names += (count > 1 ? "; " : "") + one;
  if (count == 0) return;
  if (count > 3) names += message("; and ", count - 3, " more");
  throw ValueError(message(
      optimizer, ": the loss taught ", names,
      ", which no optimizer was given, so it would never change; list its layer in the visit() of "
      "the network, give its network to an optimizer, freeze it with nn::freeze, or say "
      "optim::untrained(net) where it is to have gradients and no optimizer"));
}

}  // namespace detail

}  // namespace ebb::optim
