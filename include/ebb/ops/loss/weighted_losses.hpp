/// \file
/// Several losses of one output, added up.
#pragma once

#include <ebb/ops/elementwise/arithmetic.hpp>

#include <array>
#include <tuple>
#include <utility>

namespace ebb::inline EBB_ABI {

/// w_1 loss_1(x, t) + w_2 loss_2(x, t) + ...: losses that take the same logits and target, such as
/// Dice, which sees regions, and cross entropy, which sees every pixel.
///
///     const auto loss = weighted_losses({1, 0.5}, dice_loss, [](const auto& x, const auto& t) {
///       return cross_entropy(x, t);
///     });
///     backward(loss(net(tape.input(images)), labels));
template <class... Losses>
struct WeightedLosses {
  std::array<double, sizeof...(Losses)> weights;
  std::tuple<Losses...> losses;

  template <Operand X, class Target>
  auto operator()(const X& x, const Target& target) const {
    return sum_from<0>(x, target);
  }

 private:
  template <std::size_t i, class X, class Target>
  auto sum_from(const X& x, const Target& target) const {
    const auto term = std::get<i>(losses)(x, target) * weights[i];
    if constexpr (i + 1 < sizeof...(Losses))
      return term + sum_from<i + 1>(x, target);
    else
      return term;
  }
};

template <class... Losses>
WeightedLosses<Losses...> weighted_losses(const std::array<double, sizeof...(Losses)>& weights,
                                          Losses... losses) {
  static_assert(sizeof...(Losses) > 0, "ebb::weighted_losses: give at least one loss");
  return {weights, {std::move(losses)...}};
}

}  // namespace ebb
