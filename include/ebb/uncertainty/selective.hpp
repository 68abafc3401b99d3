/// \file
/// Selective prediction: answer where the network is sure, refer the rest to a clinician.
/// El-Yaniv & Wiener, "On the foundations of noise-free selective classification", JMLR 11 (2010);
/// Geifman & El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/shape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace ebb::inline EBB_ABI::uncertainty {

/// What is wrong among the answers that are given, by how many are given: point i answers samples
/// whose confidence is at least `threshold[i]`.
struct RiskCoverage {
  std::vector<double> threshold;  ///< falling
  std::vector<double> coverage;   ///< the share of samples answered
  std::vector<double> risk;       ///< the share of wrong ones among these
  double area = 0;                ///< the mean risk over coverages, one for each sample
};

/// A rule for when to answer: where the confidence is at least `threshold`.
struct Referral {
  double threshold = HUGE_VAL;                              ///< infinite: refer everything
  double coverage = 0;                                      ///< the share of the samples answered
  double risk = std::numeric_limits<double>::quiet_NaN();   ///< of those, the share wrong
  double bound = std::numeric_limits<double>::quiet_NaN();  ///< that the true risk may reach
};

namespace detail {

/// Positions by falling confidence. \throws ValueError for lists that do not fit, or not a number.
inline std::vector<std::size_t> by_confidence(const char* who, std::span<const double> confidence,
                                              std::span<const int> right) {
  if (confidence.size() != right.size() || right.empty())
    throw ValueError(message(who, ": ", confidence.size(), " confidences came with ", right.size(),
                             " outcomes; give one of each for every sample, of at least one"));
  for (std::size_t i = 0; i < right.size(); ++i)
    if (math::is_nan(confidence[i]))
      throw ValueError(message(who, ": the confidence of sample ", i, " is not a number"));
  std::vector<std::size_t> order(right.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return confidence[a] > confidence[b]; });
  return order;
}

/// The chance of at most k of n when each has probability p.
inline double binomial_at_most(Index k, Index n, double p) {
  double sum = 0;
  const double all = std::lgamma(static_cast<double>(n) + 1);
  for (Index j = 0; j <= k; ++j)
    sum += std::exp(all - std::lgamma(static_cast<double>(j) + 1) -
                    std::lgamma(static_cast<double>(n - j) + 1) +
                    static_cast<double>(j) * std::log(p) +
                    static_cast<double>(n - j) * std::log1p(-p));
  return sum;
}

}  // namespace detail

/// The largest probability of an error under which seeing only `wrong` of `n` has a chance of at
/// least `error`: the upper bound of Clopper & Pearson, "The use of confidence or fiducial limits
/// illustrated in the case of the binomial", Biometrika 26 (1934), by bisection.
/// \throws ValueError unless 0 <= wrong <= n, n > 0 and 0 < error < 1.
inline double binomial_upper_bound(Index wrong, Index n, double error) {
  if (!(n > 0 && wrong >= 0 && wrong <= n && error > 0 && error < 1))
    throw ValueError(message("binomial_upper_bound: ", wrong, " of ", n, " with an error of ",
                             error, "; the error lies between 0 and 1"));
  if (wrong == n) return 1;
  double low = static_cast<double>(wrong) / static_cast<double>(n), high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (detail::binomial_at_most(wrong, n, middle) > error ? low : high) = middle;
  }
  return high;
}

/// The risk at every coverage: confidences (any numbers, larger where surer), and whether each
/// answer was right (not 0). Samples of equal confidence come together. \throws ValueError when the
/// lists do not fit, are empty, or hold what is not a number.
inline RiskCoverage risk_coverage_curve(std::span<const double> confidence,
                                        std::span<const int> right) {
  const auto order = detail::by_confidence("risk_coverage_curve", confidence, right);
  const auto n = static_cast<double>(order.size());
  RiskCoverage curve;
  double wrong = 0, answered = 0, before = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    wrong += right[order[i]] == 0;
    ++answered;
    if (i + 1 < order.size() && !(confidence[order[i + 1]] < confidence[order[i]])) continue;
    curve.threshold.push_back(confidence[order[i]]);
    curve.coverage.push_back(answered / n);
    curve.risk.push_back(wrong / answered);
    curve.area += (answered - before) / n * curve.risk.back();
    before = answered;
  }
  return curve;
}

/// The lowest threshold whose risk stays below `most_risk` with probability 1 - `error` (Geifman &
/// El-Yaniv's selection with guaranteed risk): a search by halves over the samples' confidences,
/// whose bounds share the error between them. The promise is for samples that come as these came,
/// which the network must not have seen. Nothing is promised, and everything referred, where the
/// samples are too few or too often wrong: the threshold is then infinite.
/// \throws ValueError when the lists do not fit or are empty, or a number makes no sense.
inline Referral referral_threshold(std::span<const double> confidence, std::span<const int> right,
                                   double most_risk, double error = 0.05) {
  const auto order = detail::by_confidence("referral_threshold", confidence, right);
  if (!(most_risk > 0 && most_risk < 1 && error > 0 && error < 1))
    throw ValueError(message("referral_threshold: a risk of ", most_risk, " with an error of ",
                             error, " was asked for; both lie between 0 and 1"));
  const std::size_t n = order.size();
  std::vector<Index> wrong(n + 1);  // among the surest
  for (std::size_t i = 0; i < n; ++i) wrong[i + 1] = wrong[i] + (right[order[i]] == 0);
  const auto steps = std::max(1, static_cast<int>(std::ceil(std::log2(static_cast<double>(n)))));
  Referral best;
  for (std::size_t low = 0, high = n, step = 0; step < static_cast<std::size_t>(steps); ++step) {
    const std::size_t middle = (low + high + 1) / 2;  // how many are answered
    if (middle == low) break;
    std::size_t answered = middle;  // and those as sure as the last of them
    while (answered < n && !(confidence[order[answered]] < confidence[order[middle - 1]]))
      ++answered;
    const auto all = static_cast<Index>(answered);
    const double bound = binomial_upper_bound(wrong[answered], all, error / steps);
    if (bound < most_risk) {
      low = middle;
      best = {confidence[order[middle - 1]], static_cast<double>(answered) / static_cast<double>(n),
              static_cast<double>(wrong[answered]) / static_cast<double>(answered), bound};
    } else {
      high = middle - 1;
    }
  }
  return best;
}

}  // namespace ebb::uncertainty
