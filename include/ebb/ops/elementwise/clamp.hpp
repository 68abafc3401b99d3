/// \file
/// Limits values to an interval.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = min(max(x, low), high); dx = dy where low <= x <= high, both ends included, as PyTorch has
/// it, and 0 elsewhere. Not-a-number passes through. As a layer: `Clamp{0.0, 6.0}`.
struct Clamp : Elementwise<Clamp> {
  static constexpr const char* name = "clamp";

  /// \throws ValueError when low > high, or either is nan.
  constexpr Clamp(double low, double high) : low_(low), high_(high) {
    if (!(low <= high))
      throw ValueError(message("clamp: the lower end ", low, " must not be above the upper end ",
                               high, ", and neither may be nan"));
  }

  template <class T>
  EBB_HD T value(T x) const {
    return math::select(x < T(low_), T(low_), math::select(x > T(high_), T(high_), x));
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::select((x >= T(low_)) & (x <= T(high_)), T(1), T(0));
  }

 private:
  double low_, high_;
};

/// \throws ValueError when low > high.
template <Operand X>
auto clamp(const X& x, double low, double high) {
  return Clamp(low, high)(x);
}

}  // namespace ebb
