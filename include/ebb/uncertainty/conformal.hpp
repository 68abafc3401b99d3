/// \file
/// Split conformal prediction: sets of classes that hold the true one with a probability that is
/// promised. Angelopoulos & Bates, "A gentle introduction to conformal prediction and
/// distribution-free uncertainty quantification", arXiv:2107.07511 (2021).
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/core/shape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

namespace ebb::inline EBB_ABI::uncertainty {

/// How strange a class is for a sample.
enum class ConformalScore {
  /// One minus its probability: the smallest sets on average. Sadinle, Lei & Wasserman, "Least
  /// ambiguous set-valued classifiers with bounded error levels", JASA 114 (2019).
  least_ambiguous,
  /// The probability of the classes down to it, from the most probable: sets that grow where a
  /// sample is hard. Romano, Sesia & Candes, "Classification with valid and adaptive coverage",
  /// NeurIPS 2020.
  adaptive
};

struct ConformalOptions {
  double coverage = 0.9;  ///< the probability with which the set is to hold the true class
  ConformalScore score = ConformalScore::least_ambiguous;
  /// For the adaptive score: a class itself counts a uniform random part, which this seed and the
  /// sample's number determine. Sets are smaller, and may be empty. Without a seed it counts whole.
  std::optional<std::uint64_t> seed = {};
};

/// What sets did on samples whose classes are known.
struct ConformalReport {
  double coverage = 0;                 ///< the share of sets that hold the true class
  double mean_size = 0;                ///< classes a set
  double empty = 0, single = 0;        ///< shares of sets with no class and with one
  std::vector<double> class_coverage;  ///< of the samples of each class; nan where there is none
};

/// A calibrated rule. The promise holds on average over samples that come as the calibration data
/// came (another scanner or hospital breaks it), and over draws of these; not for each class, each
/// patient, or each group: look at `ConformalReport::class_coverage`.
class Conformal {
 public:
  /// From `probability` (samples, classes), row by row, and the true classes of data that the
  /// network has not seen in training or selection.
  /// \throws ValueError when the table does not fit the labels, a number is no probability, or the
  /// coverage is not between 0 and 1.
  Conformal(std::span<const double> probability, std::span<const int> label,
            const ConformalOptions& options = {})
      : options_(options) {
    if (!(options.coverage > 0 && options.coverage < 1))
      throw ValueError(message("Conformal: a coverage of ", options.coverage,
                               " was asked for; use a number between 0 and 1, 0.9 say"));
    classes_ = check("Conformal", probability, label);
    std::vector<double> scores;
    for (std::size_t i = 0; i < label.size(); ++i)
      scores.push_back(strangeness(row(probability, i), i)[static_cast<std::size_t>(label[i])]);
    // The ceil((n + 1) coverage)-th smallest; what rounding adds to the product is taken off.
    const auto n = static_cast<double>(scores.size());
    const double rank = std::ceil((n + 1) * options.coverage * (1 - 1e-14));
    if (rank > n) return;  // too few samples to exclude anything
    const auto at = scores.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
    std::nth_element(scores.begin(), at, scores.end());
    threshold_ = *at;
  }

  /// Classes at most this strange are in a set. Infinite where the calibration samples are too few
  /// for the coverage (fewer than coverage / (1 - coverage)): sets then hold every class.
  double threshold() const { return threshold_; }
  std::size_t classes() const { return classes_; }

  /// Numbers of samples from here on are new; those below are the calibration data's.
  static constexpr std::uint64_t first_number = std::uint64_t{1} << 32;

  /// The set of one sample, the most probable class first. Where the score is random, samples of
  /// different numbers have different random parts.
  /// \throws ValueError unless there is a probability for each class.
  std::vector<int> set(std::span<const double> probability,
                       std::uint64_t number = first_number) const {
    check_row("Conformal::set", probability, probability.size() == classes_);
    const auto scores = strangeness(probability, number);
    std::vector<int> found;
    for (const int c : falling(probability))
      if (scores[static_cast<std::size_t>(c)] <= threshold_) found.push_back(c);
    return found;
  }

  /// Counts what sets do on test samples, whose numbers go up from `first`.
  /// \throws ValueError when the table does not fit the labels.
  ConformalReport evaluate(std::span<const double> probability, std::span<const int> label,
                           std::uint64_t first = first_number) const {
    if (check("Conformal::evaluate", probability, label) != classes_)
      throw ValueError(message("Conformal::evaluate: the calibration data had ", classes_,
                               " classes, these probabilities are of ",
                               probability.size() / label.size()));
    ConformalReport report;
    std::vector<double> held(classes_), all(classes_);
    for (std::size_t i = 0; i < label.size(); ++i) {
      const auto found = set(row(probability, i), first + i);
      const bool right = std::find(found.begin(), found.end(), label[i]) != found.end();
      const auto truth = static_cast<std::size_t>(label[i]);
      held[truth] += right;
      all[truth] += 1;
      report.coverage += right;
      report.mean_size += static_cast<double>(found.size());
      report.empty += found.empty();
      report.single += found.size() == 1;
    }
    const auto n = static_cast<double>(label.size());
    for (double* share : {&report.coverage, &report.mean_size, &report.empty, &report.single})
      *share /= n;
    for (std::size_t c = 0; c < classes_; ++c)
      report.class_coverage.push_back(all[c] > 0 ? held[c] / all[c]
                                                 : std::numeric_limits<double>::quiet_NaN());
    return report;
  }

 private:
  static void check_row(const char* who, std::span<const double> p, bool fits) {
    if (!fits || p.empty())
      throw ValueError(message(who, ": ", p.size(), " probabilities; give one for each class"));
    for (const double x : p)
      if (!(x >= 0 && x <= 1))
        throw ValueError(
            message(who, ": ", x, " is no probability; apply softmax to logits first"));
  }
  static std::size_t check(const char* who, std::span<const double> p, std::span<const int> label) {
    const std::size_t n = label.size(), classes = n > 0 ? p.size() / n : 0;
    if (classes == 0 || classes * n != p.size())
      throw ValueError(message(who, ": ", p.size(), " probabilities for ", n,
                               " samples; give one for each sample and class, row by row, of at "
                               "least one sample"));
    check_row(who, p, true);
    for (std::size_t i = 0; i < n; ++i)
      if (label[i] < 0 || static_cast<std::size_t>(label[i]) >= classes)
        throw ValueError(message(who, ": label ", label[i], " of sample ", i, " is none of ",
                                 classes, " classes, which count from 0"));
    return classes;
  }
  std::span<const double> row(std::span<const double> p, std::size_t i) const {
    return p.subspan(i * classes_, classes_);
  }
  /// Classes by falling probability; of equal ones the lower first.
  static std::vector<int> falling(std::span<const double> p) {
    std::vector<int> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return p[static_cast<std::size_t>(a)] > p[static_cast<std::size_t>(b)];
    });
    return order;
  }
  std::vector<double> strangeness(std::span<const double> p, std::uint64_t number) const {
    std::vector<double> scores(p.size());
    if (options_.score == ConformalScore::least_ambiguous) {
      for (std::size_t c = 0; c < p.size(); ++c) scores[c] = 1 - p[c];
      return scores;
    }
    const double own =
        options_.seed ? RandomStream{*options_.seed, 0}.uniform<double>(number) : 1.0;
    double above = 0;
    for (const int c : falling(p)) {
      const double x = p[static_cast<std::size_t>(c)];
      scores[static_cast<std::size_t>(c)] = above + own * x;
      above += x;
    }
    return scores;
  }

  ConformalOptions options_;
  std::size_t classes_ = 0;
  double threshold_ = HUGE_VAL;
};

}  // namespace ebb::uncertainty
