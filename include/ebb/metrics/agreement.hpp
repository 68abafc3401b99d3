/// \file
/// Agreement beyond chance: Cohen's kappa.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/shape.hpp>

#include <cmath>
#include <span>
#include <vector>

namespace ebb::inline EBB_ABI::metrics {

/// What a disagreement between classes i and j counts: 1, |i - j| or (i - j)^2. The last two suit
/// grades, whose order means something.
enum class KappaWeights { none, linear, quadratic };

/// Cohen's kappa of true and predicted classes, from 0 to `classes` - 1: 1 for perfect agreement, 0
/// for what chance would give (Cohen, Psychological Bulletin 70, 1968; with quadratic weights, the
/// score of grading challenges).
/// \throws ValueError when the lists differ in length or are empty, an entry is no class, or all
/// entries of both lists are of one class: then kappa is not defined.
inline double cohen_kappa(std::span<const int> truth, std::span<const int> predicted, int classes,
                          KappaWeights weights = KappaWeights::none) {
  if (truth.size() != predicted.size() || truth.empty() || classes < 1)
    throw ValueError(message("cohen_kappa: ", truth.size(), " true and ", predicted.size(),
                             " predicted classes of ", classes,
                             "; give one of each for every sample"));
  const auto n = static_cast<std::size_t>(classes);
  std::vector<double> rows(n), columns(n), together(n * n);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    for (const int c : {truth[i], predicted[i]})
      if (c < 0 || c >= classes)
        throw ValueError(message("cohen_kappa: ", c, " of sample ", i, " is none of ", classes,
                                 " classes, which count from 0"));
    const auto t = static_cast<std::size_t>(truth[i]), p = static_cast<std::size_t>(predicted[i]);
    rows[t] += 1;
    columns[p] += 1;
    together[t * n + p] += 1;
  }
  double seen = 0, by_chance = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double apart = std::abs(static_cast<double>(i) - static_cast<double>(j));
      const double weight = weights == KappaWeights::quadratic ? apart * apart
                            : weights == KappaWeights::linear  ? apart
                                                               : (i == j ? 0.0 : 1.0);
      seen += weight * together[i * n + j];
      by_chance += weight * rows[i] * columns[j] / static_cast<double>(truth.size());
    }
  if (!(by_chance > 0))
    throw ValueError(
        "cohen_kappa: it is not defined, because all samples are of one class, and "
        "called so");
  return 1 - seen / by_chance;
}

}  // namespace ebb::metrics
