/// \file
/// A step length that satisfies the strong Wolfe conditions: Nocedal & Wright, "Numerical
/// Optimization", 2nd ed., Springer 2006, algorithms 3.5 and 3.6.
#pragma once

#include <ebb/core/finite.hpp>

#include <cmath>
#include <cstdint>

namespace ebb::inline EBB_ABI::optim {

struct WolfeOptions {
  double decrease = 1e-4;  ///< c1: share of the predicted decrease that is asked for
  double curvature = 0.9;  ///< c2: share of the slope that may be left
  int max_evaluations = 25;
};

/// The function along the search direction, at one step length.
struct LinePoint {
  double length = 0;
  double value = 0;
  double slope = 0;
};

namespace detail {

/// The minimum of the cubic through two points with slopes (Nocedal & Wright, equation 3.59), kept
/// well inside the interval; its middle where there is no such cubic.
inline double cubic_minimum(const LinePoint& a, const LinePoint& b) {
  const double span = b.length - a.length;
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.length - b.length);
  const double square = d1 * d1 - a.slope * b.slope;
  double at = a.length + span / 2;
  if (square >= 0) {
    const double d2 = (span > 0 ? 1 : -1) * std::sqrt(square);
    const double guess = b.length - span * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
    if (math::is_finite(guess)) at = guess;
  }
  const double low = a.length < b.length ? a.length : b.length, width = std::abs(span);
  const double nearest = low + 0.1 * width, farthest = low + 0.9 * width;
  return at < nearest ? nearest : at > farthest ? farthest : at;
}

}  // namespace detail

/// Searches from `start` (length 0) with the first trial at `length`. `evaluate(length)` returns
/// the point there. Returns the best point found: length 0 when there is no decrease to be had.
///
/// Near a minimum the decrease drowns in rounding; there the approximate condition of Hager &
/// Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search",
/// SIAM J. Optim. 16 (2005), equation 4.1, takes its place.
template <class Evaluate>
LinePoint wolfe_search(const LinePoint& start, double length, const WolfeOptions& options,
                       Evaluate&& evaluate) {
  const double rounding = 1e-14 * std::abs(start.value);
  const auto enough = [&](const LinePoint& p) {
    return p.value <= start.value + options.decrease * p.length * start.slope ||
           (p.value <= start.value + rounding &&
            p.slope <= (2 * options.decrease - 1) * start.slope);
  };
  const auto flat = [&](const LinePoint& p) {
    return std::abs(p.slope) <= -options.curvature * start.slope;
  };

  LinePoint low = start, high = start;
  bool bracketed = false;
  LinePoint previous = start;
  int left = options.max_evaluations;
  for (; left > 0 && !bracketed; --left) {  // algorithm 3.5
    const LinePoint p = evaluate(length);
    if (!math::is_finite(p.value) || !math::is_finite(p.slope)) {  // stepped out of the domain
      length = (previous.length + length) / 2;
      continue;
    }
    if (!enough(p) || (previous.length > 0 && p.value > previous.value + rounding)) {
      low = previous;
      high = p;
      bracketed = true;
    } else if (flat(p)) {
      return p;
    } else if (p.slope >= 0) {
      low = p;
      high = previous;
      bracketed = true;
    } else {
      const double next = 2.5 * p.length;
      previous = p;
      length = next;
    }
  }
  if (!bracketed) return previous;

  for (; left > 0; --left) {  // algorithm 3.6, "zoom"
    if (std::abs(high.length - low.length) <= 1e-16 * std::abs(low.length)) break;
    const LinePoint p = evaluate(detail::cubic_minimum(low, high));
    if (!math::is_finite(p.value) || !enough(p) || p.value > low.value + rounding) {
      high = p;
      if (!math::is_finite(p.value)) high.value = high.slope = 1e300;
    } else {
      if (flat(p)) return p;
      if (p.slope * (high.length - low.length) >= 0) high = low;
      low = p;
    }
  }
  return low;
}

}  // namespace ebb::optim
