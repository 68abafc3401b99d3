/// \file
/// A figure with its confidence interval.
#pragma once

#include <ebb/core/shape.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::metrics {

/// A figure, and the interval that holds the true one with the confidence asked for.
struct Interval {
  double value = 0, low = 0, high = 0;
};

namespace detail {

inline void check_confidence(const char* who, double confidence) {
  if (!(confidence > 0 && confidence < 1))
    throw ValueError(message(who, ": a confidence of ", confidence,
                             " was asked for; use a number between 0 and 1, 0.95 for 95 %"));
}

/// The z for which a standard normal number lies in [-z, z] with probability `confidence`, by
/// bisection.
inline double two_sided_normal(double confidence) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double z = 0.5 * (low + high);
    (std::erf(z * 0.70710678118654752440) < confidence ? low : high) = z;
  }
  return 0.5 * (low + high);
}

}  // namespace detail

/// A share, `found` of `all`, with the interval of Wilson, "Probable inference, the law of
/// succession, and statistical inference", J. Am. Stat. Assoc. 22 (1927): for accuracy, sensitivity
/// and their like. It stays within [0, 1] and is wide for few samples, also at 0 and 1.
/// \throws ValueError unless 0 <= found <= all and all > 0.
inline Interval wilson(Index found, Index all, double confidence = 0.95) {
  detail::check_confidence("wilson", confidence);
  if (all < 1 || found < 0 || found > all)
    throw ValueError(message("wilson: ", found, " of ", all,
                             " is no share; it needs at least one sample, and no more found than "
                             "there are"));
  const double n = static_cast<double>(all), p = static_cast<double>(found) / n;
  const double z = detail::two_sided_normal(confidence), shrink = 1 + z * z / n;
  const double middle = (p + z * z / (2 * n)) / shrink;
  const double half = z / shrink * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // Where nothing, or all, was found, the bound is exact.
  return {p, found == 0 ? 0 : middle - half, found == all ? 1 : middle + half};
}

}  // namespace ebb::metrics
