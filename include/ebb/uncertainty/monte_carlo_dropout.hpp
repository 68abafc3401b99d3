/// \file
/// Gal & Ghahramani, "Dropout as a Bayesian approximation: representing model uncertainty in deep
/// learning", ICML 2016.
#pragma once

#include <ebb/nn/undrawn.hpp>
#include <ebb/uncertainty/prediction.hpp>

namespace ebb::inline EBB_ABI::uncertainty {

struct MonteCarloOptions {
  int samples = 30;
  std::uint64_t seed = 0;  ///< determines all that is dropped
};

/// The mean over passes that drop at random, as in training; all else evaluates (batch norm by its
/// running statistics). Works on a copy whose parameters are not shared; the network and the
/// thread's generator stay as they are. Images x (n, ...) to logits (n, classes, ...).
/// \throws ValueError when there is no sample, or nothing in the network drops.
template <class Net, class Tens>
auto monte_carlo_dropout(const Net& net, const Tens& x, const MonteCarloOptions& options = {}) {
  if (options.samples < 1)
    throw ValueError(message("monte_carlo_dropout: ", options.samples,
                             " samples were asked for; use some tens"));
  Net copy = net;
  nn::eval(copy);
  if (nn::set_dropout_mode(copy, nn::Mode::train) == 0)
    throw ValueError(
        "monte_carlo_dropout: the network has no dropout layer, so every pass would be the same; "
        "use an ensemble, or test-time augmentation");
  const nn::detail::KeepGenerator keep;
  detail::AverageOf<decltype(copy(x))> average;
  for (int s = 0; s < options.samples; ++s) {
    // Room for as many streams as a pass may draw: a sample does not depend on the others.
    default_generator() = {options.seed, static_cast<std::uint64_t>(s) << 32};
    average.add(copy(x));
  }
  return average.result();
}

}  // namespace ebb::uncertainty
