/// \file
/// Thresholds at which a classifier may be run, and what it then reaches.
#pragma once

#include <ebb/metrics/roc.hpp>

namespace ebb::inline EBB_ABI::metrics {

/// A point of a ROC curve at which a classifier may be run: at `threshold` and above, a sample is
/// called positive.
struct OperatingPoint {
  double threshold = 0, sensitivity = 0, specificity = 0;
};

namespace detail {

/// The best `wanted` figure among the points whose `kept` figure is at least `least`; of equals,
/// the one with more of `kept`.
inline OperatingPoint best_point(const char* who, std::span<const double> scores,
                                 std::span<const int> positive, double OperatingPoint::*kept,
                                 double least, double OperatingPoint::*wanted) {
  if (!(least >= 0 && least <= 1))
    throw ValueError(
        message(who, ": at least ", least, " was asked for; use a number from 0 to 1"));
  const auto kinds = kinds_of(who, scores, positive);
  const auto order = rising(scores);
  OperatingPoint best;
  bool found = false;
  Index passed[2] = {};
  const auto offer = [&](double threshold) {
    // Counts, not 1 - a share, so that 9 of 10 are at least 0.9.
    const OperatingPoint here{
        threshold, static_cast<double>(passed[1]) / static_cast<double>(kinds.positives),
        static_cast<double>(kinds.negatives - passed[0]) / static_cast<double>(kinds.negatives)};
    if (here.*kept < least) return;
    if (!found || here.*wanted > best.*wanted ||
        (here.*wanted == best.*wanted && here.*kept > best.*kept))
      best = here;
    found = true;
  };
  offer(HUGE_VAL);
  for (std::size_t i = order.size(); i-- > 0;) {
    ++passed[positive[order[i]] != 0];
    if (i == 0 || scores[order[i - 1]] < scores[order[i]]) offer(scores[order[i]]);
  }
  return best;
}

}  // namespace detail

/// The threshold with the highest sensitivity among those that leave at least this specificity.
/// Chosen on a test set it flatters: choose it on validation data, then count on the test set.
/// \throws ValueError as `roc_curve`, or when the specificity is not in [0, 1].
inline OperatingPoint point_at_specificity(std::span<const double> scores,
                                           std::span<const int> positive, double specificity) {
  return detail::best_point("point_at_specificity", scores, positive, &OperatingPoint::specificity,
                            specificity, &OperatingPoint::sensitivity);
}

/// The threshold with the highest specificity among those that leave at least this sensitivity.
/// \throws ValueError as `roc_curve`, or when the sensitivity is not in [0, 1].
inline OperatingPoint point_at_sensitivity(std::span<const double> scores,
                                           std::span<const int> positive, double sensitivity) {
  return detail::best_point("point_at_sensitivity", scores, positive, &OperatingPoint::sensitivity,
                            sensitivity, &OperatingPoint::specificity);
}

/// The highest sensitivity among thresholds that leave at least this specificity.
/// \throws ValueError as `roc_curve`, or when the specificity is not in [0, 1].
inline double sensitivity_at_specificity(std::span<const double> scores,
                                         std::span<const int> positive, double specificity) {
  return point_at_specificity(scores, positive, specificity).sensitivity;
}

/// The highest specificity among thresholds that leave at least this sensitivity.
/// \throws ValueError as `roc_curve`, or when the sensitivity is not in [0, 1].
inline double specificity_at_sensitivity(std::span<const double> scores,
                                         std::span<const int> positive, double sensitivity) {
  return point_at_sensitivity(scores, positive, sensitivity).specificity;
}

}  // namespace ebb::metrics
