/// \file
/// A figure with its confidence interval.
#pragma once

#include <ebb/core/error.hpp>

#include <cmath>

namespace ebb::metrics {

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

}  // namespace ebb::metrics
