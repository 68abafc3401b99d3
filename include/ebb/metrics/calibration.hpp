/// \file
/// Whether probabilities mean what they say: reliability diagrams, calibration errors, the Brier
/// score, and temperature scaling.
#pragma once

#include <ebb/core/shape.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace ebb::inline EBB_ABI::metrics {

/// One bar of a reliability diagram: the samples whose probability lies in (low, high].
struct ReliabilityBin {
  double low = 0, high = 0;
  Index count = 0;
  double probability = 0;  ///< the mean of those predicted; 0 where the bin is empty
  double frequency = 0;    ///< the share that came true; 0 where the bin is empty
};

namespace detail {

inline void check_probabilities(const char* who, std::span<const double> probability,
                                std::size_t expected) {
  if (probability.size() != expected || expected == 0)
    throw ValueError(message(who, ": ", probability.size(), " probabilities where ", expected,
                             " are needed; give one for each sample (and class), of at least one "
                             "sample"));
  for (std::size_t i = 0; i < probability.size(); ++i)
    if (!(probability[i] >= 0 && probability[i] <= 1))
      throw ValueError(message(who, ": number ", i, " is ", probability[i],
                               ", but a probability lies in [0, 1]; apply sigmoid or softmax to "
                               "logits first"));
}

/// The number of classes of a table of (samples, classes). \throws ValueError when labels and table
/// do not fit.
inline std::size_t classes_of(const char* who, std::size_t numbers, std::span<const int> label) {
  const std::size_t n = label.size(), classes = n > 0 ? numbers / n : 0;
  if (classes == 0 || classes * n != numbers)
    throw ValueError(message(who, ": ", numbers, " numbers for ", n,
                             " samples; give one for each sample and class, row by row"));
  for (std::size_t i = 0; i < n; ++i)
    if (label[i] < 0 || static_cast<std::size_t>(label[i]) >= classes)
      throw ValueError(message(who, ": label ", label[i], " of sample ", i, " is none of ", classes,
                               " classes, which count from 0"));
  return classes;
}

}  // namespace detail

/// The bars of a reliability diagram, `bins` of equal width: the probabilities of an event, and
/// whether it came (not 0). \throws ValueError when the lists differ in length or are empty, a
/// number is no probability, or there is not at least one bin.
inline std::vector<ReliabilityBin> reliability(std::span<const double> probability,
                                               std::span<const int> came, int bins = 15) {
  detail::check_probabilities("reliability", probability, came.size());
  if (bins < 1 || bins > 100000)
    throw ValueError(message("reliability: ", bins, " bins were asked for; use 10 or 15, say"));
  std::vector<ReliabilityBin> diagram(static_cast<std::size_t>(bins));
  for (int b = 0; b < bins; ++b)
    diagram[static_cast<std::size_t>(b)].low = static_cast<double>(b) / bins,
    diagram[static_cast<std::size_t>(b)].high = (b + 1.0) / bins;
  for (std::size_t i = 0; i < came.size(); ++i) {
    auto b = static_cast<std::size_t>(
        std::clamp(static_cast<int>(std::ceil(probability[i] * bins)) - 1, 0, bins - 1));
    while (b > 0 && !(probability[i] > diagram[b].low)) --b;  // where the product was rounded
    while (b + 1 < diagram.size() && probability[i] > diagram[b].high) ++b;
    ++diagram[b].count;
    diagram[b].probability += probability[i];
    diagram[b].frequency += came[i] != 0;
  }
  for (ReliabilityBin& bin : diagram) {
    if (bin.count == 0) continue;
    bin.probability /= static_cast<double>(bin.count);
    bin.frequency /= static_cast<double>(bin.count);
  }
  return diagram;
}

/// What a classifier of several classes claims: the probability of its answer, and whether the
/// answer was right; `reliability` and `expected_calibration_error` take both.
struct Claims {
  std::vector<double> confidence;
  std::vector<int> right;
};

/// `probability` is (samples, classes), row by row; of equal probabilities the lower class is the
/// answer. \throws ValueError when the table does not fit the labels.
inline Claims claims(std::span<const double> probability, std::span<const int> label) {
  const std::size_t classes = detail::classes_of("claims", probability.size(), label);
  detail::check_probabilities("claims", probability, probability.size());
  Claims found;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const auto row = probability.subspan(i * classes, classes);
    const auto best = std::max_element(row.begin(), row.end());
    found.confidence.push_back(*best);
    found.right.push_back(best - row.begin() == label[i]);
  }
  return found;
}

/// Expected calibration error: the distance of the bars from the diagonal, weighted by their
/// samples (Naeini, Cooper & Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
/// binning", AAAI 2015; Guo et al. 2017). It depends on the bins: report their number.
inline double expected_calibration_error(std::span<const ReliabilityBin> diagram) {
  double sum = 0, count = 0;
  for (const ReliabilityBin& bin : diagram) {
    sum += static_cast<double>(bin.count) * std::abs(bin.frequency - bin.probability);
    count += static_cast<double>(bin.count);
  }
  if (!(count > 0)) throw ValueError("expected_calibration_error: the diagram has no samples");
  return sum / count;
}
/// The same of probabilities. \throws ValueError as `reliability`.
inline double expected_calibration_error(std::span<const double> probability,
                                         std::span<const int> came, int bins = 15) {
  return expected_calibration_error(reliability(probability, came, bins));
}

/// The mean squared distance of probabilities from what came (1 or 0): Brier, "Verification of
/// forecasts expressed in terms of probability", Monthly Weather Review 78 (1950), in the form of
/// one probability. \throws ValueError as `reliability`.
inline double brier_score(std::span<const double> probability, std::span<const int> came) {
  detail::check_probabilities("brier_score", probability, came.size());
  double sum = 0;
  for (std::size_t i = 0; i < came.size(); ++i) {
    const double d = probability[i] - (came[i] != 0 ? 1 : 0);
    sum += d * d;
  }
  return sum / static_cast<double>(came.size());
}

/// Brier's own form for several classes: the squared distance summed over them, in [0, 2];
/// `probability` is (samples, classes). For two classes it is twice the other.
/// \throws ValueError when the table does not fit the labels, or a number is no probability.
inline double brier_score_of_classes(std::span<const double> probability,
                                     std::span<const int> label) {
  const std::size_t classes =
      detail::classes_of("brier_score_of_classes", probability.size(), label);
  detail::check_probabilities("brier_score_of_classes", probability, probability.size());
  double sum = 0;
  for (std::size_t i = 0; i < probability.size(); ++i) {
    const double d = probability[i] - (static_cast<int>(i % classes) == label[i / classes] ? 1 : 0);
    sum += d * d;
  }
  return sum / static_cast<double>(label.size());
}

}  // namespace ebb::metrics
