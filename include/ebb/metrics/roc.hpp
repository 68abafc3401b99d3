/// \file
/// The ROC curve of a score and the area under it, with intervals.
///
/// Scores are any numbers that should be larger for positives; which samples are positive is said
/// by the caller, one flag a sample (not 0: positive). What is not defined (a curve of samples that
/// are all of one kind) throws; it is never guessed.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/metrics/bootstrap.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

namespace ebb::inline EBB_ABI::metrics {

namespace detail {

struct Kinds {
  Index positives = 0, negatives = 0;
};

/// Counts both kinds. \throws ValueError unless there are `least` of each and all scores are
/// numbers.
inline Kinds kinds_of(const char* who, std::span<const double> scores,
                      std::span<const int> positive, Index least = 1) {
  if (scores.size() != positive.size())
    throw ValueError(message(who, ": ", scores.size(), " scores came with ", positive.size(),
                             " flags; give one for each sample"));
  Kinds kinds;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (math::is_nan(scores[i]))
      throw ValueError(message(who, ": the score of sample ", i, " is not a number"));
    ++(positive[i] != 0 ? kinds.positives : kinds.negatives);
  }
  if (kinds.positives < least || kinds.negatives < least)
    throw ValueError(message(who, ": it is not defined for ", kinds.positives, " positive and ",
                             kinds.negatives, " negative samples; at least ", least,
                             " of each are needed"));
  return kinds;
}

/// Positions in the order of rising scores.
inline std::vector<std::size_t> rising(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  return order;
}

/// The rank of every number, from 1; equal ones share the mean of their ranks.
inline std::vector<double> midranks(std::span<const double> x) {
  const auto order = rising(x);
  std::vector<double> ranks(x.size());
  for (std::size_t i = 0, end = 0; i < x.size(); i = end) {
    for (end = i; end < x.size() && !(x[order[i]] < x[order[end]]);) ++end;
    for (std::size_t k = i; k < end; ++k) ranks[order[k]] = 0.5 * static_cast<double>(i + end + 1);
  }
  return ranks;
}

/// The area under the curve of samples that count `weight` times each, by one walk in the order of
/// their scores: pairs in the right order, and half of those with equal scores, over all pairs.
/// nan when one kind has no weight.
inline double weighted_auc(std::span<const double> scores, std::span<const int> positive,
                           std::span<const std::size_t> order, std::span<const double> weight) {
  double below = 0, pairs = 0, positives = 0;
  for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
    double here[2] = {};
    for (end = i; end < order.size() && !(scores[order[i]] < scores[order[end]]); ++end)
      here[positive[order[end]] != 0] += weight[order[end]];
    pairs += here[1] * (below + 0.5 * here[0]);
    below += here[0];
    positives += here[1];
  }
  return pairs / (positives * below);
}

}  // namespace detail

/// The points of a ROC curve, from (0, 0) to (1, 1): at `threshold[i]` and above, a sample is
/// called positive. Samples of equal scores make one step.
struct RocCurve {
  std::vector<double> threshold;            ///< falling; the first is infinite
  std::vector<double> false_positive_rate;  ///< 1 - specificity
  std::vector<double> true_positive_rate;   ///< sensitivity
};

/// \throws ValueError when the samples are all of one kind, a score is not a number, or the numbers
/// of scores and flags differ.
inline RocCurve roc_curve(std::span<const double> scores, std::span<const int> positive) {
  const auto kinds = detail::kinds_of("roc_curve", scores, positive);
  const auto order = detail::rising(scores);
  RocCurve curve{{HUGE_VAL}, {0}, {0}};
  Index found[2] = {};
  for (std::size_t i = order.size(); i-- > 0;) {
    ++found[positive[order[i]] != 0];
    if (i > 0 && !(scores[order[i - 1]] < scores[order[i]])) continue;
    curve.threshold.push_back(scores[order[i]]);
    curve.false_positive_rate.push_back(static_cast<double>(found[0]) /
                                        static_cast<double>(kinds.negatives));
    curve.true_positive_rate.push_back(static_cast<double>(found[1]) /
                                       static_cast<double>(kinds.positives));
  }
  return curve;
}

/// The area under the ROC curve: the chance that a positive scores higher than a negative, equal
/// scores counting half (Hanley & McNeil, "The meaning and use of the area under a receiver
/// operating characteristic (ROC) curve", Radiology 143, 1982). \throws ValueError as `roc_curve`.
inline double auc(std::span<const double> scores, std::span<const int> positive) {
  detail::kinds_of("auc", scores, positive);
  const std::vector<double> once(scores.size(), 1.0);
  return detail::weighted_auc(scores, positive, detail::rising(scores), once);
}

namespace detail {

/// How DeLong's estimate varies: the share of the other kind that each sample beats, by mid-ranks.
inline double delong_variance(std::span<const double> scores, std::span<const int> positive) {
  std::vector<double> kind[2];
  for (std::size_t i = 0; i < scores.size(); ++i) kind[positive[i] != 0].push_back(scores[i]);
  const auto all = midranks(scores);
  const std::vector<double> own[2] = {midranks(kind[0]), midranks(kind[1])};
  std::vector<double> beaten[2];
  std::size_t next[2] = {};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool k = positive[i] != 0;
    beaten[k].push_back((all[i] - own[k][next[k]++]) / static_cast<double>(kind[!k].size()));
  }
  double variance = 0;
  for (const auto& shares : beaten) {
    const auto n = static_cast<double>(shares.size());
    double mean = 0, spread = 0;
    for (const double x : shares) mean += x / n;
    for (const double x : shares) spread += (x - mean) * (x - mean);
    variance += spread / (n - 1) / n;
  }
  return variance;
}

}  // namespace detail

/// The variance of the area: DeLong, DeLong & Clarke-Pearson, "Comparing the areas under two or
/// more correlated receiver operating characteristic curves", Biometrics 44 (1988), by the
/// mid-ranks of Sun & Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing
/// Letters 21 (2014). \throws ValueError as `roc_curve`, and when there are fewer than two of a
/// kind.
inline double auc_variance(std::span<const double> scores, std::span<const int> positive) {
  detail::kinds_of("auc_variance", scores, positive, 2);
  return detail::delong_variance(scores, positive);
}

/// The area with DeLong's interval: normal, cut to [0, 1]. Where the scores separate the kinds it
/// has no width, which says too much: the samples then only bound the area from below.
/// \throws ValueError as `auc_variance`.
inline Interval auc_delong(std::span<const double> scores, std::span<const int> positive,
                           double confidence = 0.95) {
  detail::check_confidence("auc_delong", confidence);
  detail::kinds_of("auc_delong", scores, positive, 2);
  const double area = auc(scores, positive);
  const double half =
      detail::two_sided_normal(confidence) * std::sqrt(detail::delong_variance(scores, positive));
  return {area, std::max(0.0, area - half), std::min(1.0, area + half)};
}

/// The area with a bootstrap interval: percentiles over `resamples` draws of as many samples, with
/// replacement, which the seed determines. Draws of one kind alone are left out.
/// \throws ValueError as `roc_curve`.
inline BootstrapInterval auc_bootstrap(std::span<const double> scores,
                                       std::span<const int> positive, std::uint64_t seed,
                                       int resamples = 1000, double confidence = 0.95) {
  const BootstrapOptions options{seed, resamples, confidence};
  detail::check_bootstrap("auc_bootstrap", options);
  const double value = auc(scores, positive);
  const auto order = detail::rising(scores);
  std::vector<double> weight(scores.size());
  return detail::bootstrap_interval("auc_bootstrap", value, options, [&](std::uint64_t r) {
    detail::draw(seed, r, weight);
    return detail::weighted_auc(scores, positive, order, weight);
  });
}

/// The mean of the areas of every class against the rest, with a bootstrap interval: `probability`
/// is (samples, classes), row by row, and `label` the class of each sample. Classes without samples
/// are left out. \throws ValueError when no class has samples of both kinds, a label is no class,
/// or the extents do not fit.
inline BootstrapInterval macro_auc(std::span<const double> probability, std::span<const int> label,
                                   std::uint64_t seed, int resamples = 1000,
                                   double confidence = 0.95) {
  const BootstrapOptions options{seed, resamples, confidence};
  detail::check_bootstrap("macro_auc", options);
  const std::size_t n = label.size(), classes = n > 0 ? probability.size() / n : 0;
  if (n == 0 || classes * n != probability.size())
    throw ValueError(message("macro_auc: ", probability.size(), " probabilities of ", n,
                             " samples; give one for each sample and class"));
  struct Class {
    std::vector<double> score;
    std::vector<int> positive;
    std::vector<std::size_t> order;
  };
  std::vector<Class> all;
  for (std::size_t c = 0; c < classes; ++c) {
    Class one;
    Index found = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (label[i] < 0 || label[i] >= static_cast<int>(classes))
        throw ValueError(message("macro_auc: label ", label[i], " of sample ", i, " is none of ",
                                 classes, " classes, which count from 0"));
      one.score.push_back(probability[i * classes + c]);
      one.positive.push_back(label[i] == static_cast<int>(c));
      found += one.positive.back();
    }
    if (found == 0) continue;
    detail::kinds_of("macro_auc", one.score, one.positive);
    one.order = detail::rising(one.score);
    all.push_back(std::move(one));
  }
  const auto mean_area = [&](std::span<const double> weight) {
    double sum = 0, count = 0;
    for (const Class& c : all) {
      const double area = detail::weighted_auc(c.score, c.positive, c.order, weight);
      if (math::is_nan(area)) continue;
      sum += area;
      ++count;
    }
    return sum / count;
  };
  std::vector<double> weight(n, 1.0);
  return detail::bootstrap_interval("macro_auc", mean_area(weight), options, [&](std::uint64_t r) {
    detail::draw(seed, r, weight);
    return mean_area(weight);
  });
}

}  // namespace ebb::metrics
