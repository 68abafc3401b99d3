/// \file
/// The precision-recall curve of a score, and average precision. Scores and flags as in roc.hpp.
#pragma once

#include <ebb/metrics/roc.hpp>

namespace ebb::inline EBB_ABI::metrics {

/// The points of a precision-recall curve, by rising recall: at `threshold[i]` and above, a sample
/// is called positive. The first, where none is, has recall 0 and, by convention, precision 1.
struct PrecisionRecallCurve {
  std::vector<double> threshold;  ///< falling; the first is infinite
  std::vector<double> recall, precision;
};

namespace detail {

/// \throws ValueError without a positive sample, or for scores that are not numbers.
inline Index positives_of(const char* who, std::span<const double> scores,
                          std::span<const int> positive) {
  const auto kinds = kinds_of(who, scores, positive, 0);
  if (kinds.positives == 0)
    throw ValueError(message(who, ": none of ", scores.size(),
                             " samples is positive, so recall is not defined"));
  return kinds.positives;
}

/// Average precision of samples that count `weight` times each; nan without a positive one.
inline double weighted_precision(std::span<const double> scores, std::span<const int> positive,
                                 std::span<const std::size_t> order,
                                 std::span<const double> weight) {
  double called = 0, right = 0, sum = 0;
  for (std::size_t i = order.size(), begin = i; i > 0; i = begin) {
    double here[2] = {};
    for (begin = i; begin > 0 && !(scores[order[begin - 1]] < scores[order[i - 1]]); --begin)
      here[positive[order[begin - 1]] != 0] += weight[order[begin - 1]];
    called += here[0] + here[1];
    right += here[1];
    if (here[1] > 0) sum += here[1] * right / called;
  }
  return sum / right;
}

}  // namespace detail

/// \throws ValueError when no sample is positive, a score is not a number, or the numbers of scores
/// and flags differ.
inline PrecisionRecallCurve precision_recall_curve(std::span<const double> scores,
                                                   std::span<const int> positive) {
  const Index positives = detail::positives_of("precision_recall_curve", scores, positive);
  const auto order = detail::rising(scores);
  PrecisionRecallCurve curve{{HUGE_VAL}, {0}, {1}};
  Index right = 0;
  for (std::size_t i = order.size(); i-- > 0;) {
    right += positive[order[i]] != 0;
    if (i > 0 && !(scores[order[i - 1]] < scores[order[i]])) continue;
    curve.threshold.push_back(scores[order[i]]);
    curve.recall.push_back(static_cast<double>(right) / static_cast<double>(positives));
    curve.precision.push_back(static_cast<double>(right) / static_cast<double>(order.size() - i));
  }
  return curve;
}

/// Average precision: the sum over thresholds of precision times the recall gained there. No
/// straight lines are drawn between the points, which would flatter (Davis & Goadrich, "The
/// relationship between precision-recall and ROC curves", ICML 2006). A useless score has the
/// positives' share, not 0.5. \throws ValueError as `precision_recall_curve`.
inline double average_precision(std::span<const double> scores, std::span<const int> positive) {
  detail::positives_of("average_precision", scores, positive);
  const std::vector<double> once(scores.size(), 1.0);
  return detail::weighted_precision(scores, positive, detail::rising(scores), once);
}

/// Average precision with a percentile interval; resamples without a positive sample are left out.
/// \throws ValueError as `precision_recall_curve`.
inline BootstrapInterval average_precision_bootstrap(std::span<const double> scores,
                                                     std::span<const int> positive,
                                                     const BootstrapOptions& options = {}) {
  detail::check_bootstrap("average_precision_bootstrap", options);
  const double value = average_precision(scores, positive);
  const auto order = detail::rising(scores);
  std::vector<double> weight(scores.size());
  return detail::bootstrap_interval(
      "average_precision_bootstrap", value, options, [&](std::uint64_t r) {
        detail::draw(options.seed, r, weight);
        return detail::weighted_precision(scores, positive, order, weight);
      });
}

}  // namespace ebb::metrics
