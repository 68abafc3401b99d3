/// \file
/// Bootstrap intervals: Efron & Tibshirani, "An introduction to the bootstrap", Chapman & Hall
/// 1993, chapter 13 (percentiles).
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/random.hpp>
#include <ebb/core/shape.hpp>
#include <ebb/metrics/interval.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace ebb::inline EBB_ABI::metrics {

struct BootstrapOptions {
  std::uint64_t seed = 0;  ///< determines every draw
  int resamples = 1000;
  double confidence = 0.95;
};

/// An interval, and for how many resamples the figure was not defined and so left out (all samples
/// of one class, say). When these are many, the interval stands for less than it says.
struct BootstrapInterval : Interval {
  int undefined = 0;
};

namespace detail {

/// The quantile q of sorted numbers: numpy's default, between neighbours in a straight line.
inline double quantile_of_sorted(std::span<const double> x, double q) {
  const double at = q * static_cast<double>(x.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, x.size() - 1);
  return x[below] + (at - static_cast<double>(below)) * (x[above] - x[below]);
}

/// How often each of `n` samples is drawn in resample number `which`.
inline void draw(std::uint64_t seed, std::uint64_t which, std::vector<double>& weight) {
  std::fill(weight.begin(), weight.end(), 0.0);
  const RandomStream random{seed, which};
  const auto n = static_cast<Index>(weight.size());
  for (Index i = 0; i < n; ++i)
    weight[static_cast<std::size_t>(random.below(n, static_cast<std::uint64_t>(i)))] += 1;
}

inline void check_bootstrap(const char* who, const BootstrapOptions& options) {
  check_confidence(who, options.confidence);
  if (options.resamples < 2 || options.resamples > 10000000)
    throw ValueError(message(who, ": an interval from ", options.resamples,
                             " resamples was asked for; use some hundreds or thousands"));
}

/// The middle of `figure(resample)`, a double that is nan where it is not defined, around `value`.
template <class Figure>
BootstrapInterval bootstrap_interval(const char* who, double value, const BootstrapOptions& options,
                                     const Figure& figure) {
  std::vector<double> found;
  found.reserve(static_cast<std::size_t>(options.resamples));
  for (int r = 0; r < options.resamples; ++r) {
    const double x = figure(static_cast<std::uint64_t>(r));
    if (!math::is_nan(x)) found.push_back(x);
  }
  const int undefined = options.resamples - static_cast<int>(found.size());
  if (found.size() < 2)
    throw ValueError(message(who, ": the figure is not defined for ", undefined, " of ",
                             options.resamples,
                             " resamples, so it has no bootstrap interval; there are too few "
                             "samples, or too few of a class"));
  std::sort(found.begin(), found.end());
  return {{value, quantile_of_sorted(found, 0.5 * (1 - options.confidence)),
           quantile_of_sorted(found, 0.5 * (1 + options.confidence))},
          undefined};
}

}  // namespace detail

/// Any figure of `samples` samples with a percentile interval: `figure(which)` is given the numbers
/// of the samples that count, a `std::span<const Index>`, some of them several times, and returns
/// nan where it is not defined. It is called once with every sample, then for each resample of as
/// many samples, drawn with replacement. Draw whatever is independent (patients, not slices).
/// \throws ValueError when there are no samples, or the figure of all of them is not defined.
template <class Figure>
BootstrapInterval bootstrap(Index samples, const Figure& figure,
                            const BootstrapOptions& options = {}) {
  detail::check_bootstrap("bootstrap", options);
  if (samples < 1)
    throw ValueError(message("bootstrap: ", samples, " samples; it needs at least one"));
  std::vector<Index> which(static_cast<std::size_t>(samples));
  for (Index i = 0; i < samples; ++i) which[static_cast<std::size_t>(i)] = i;
  const double value = static_cast<double>(figure(std::span<const Index>(which)));
  if (math::is_nan(value))
    throw ValueError("bootstrap: the figure of all samples together is not a number");
  return detail::bootstrap_interval("bootstrap", value, options, [&](std::uint64_t r) {
    const RandomStream random{options.seed, r};
    for (Index i = 0; i < samples; ++i)
      which[static_cast<std::size_t>(i)] = random.below(samples, static_cast<std::uint64_t>(i));
    return static_cast<double>(figure(std::span<const Index>(which)));
  });
}

}  // namespace ebb::metrics
