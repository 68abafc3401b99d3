/// \file
/// Limits values to an interval.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = min(max(x, low), high); dx = dy where low <= x <= high, both ends included, as PyTorch has
/// it, and 0 elsewhere. Not-a-number passes through. As a layer: `Clamp{0.0, 6.0}`.
struct Clamp : Elementwise<Clamp>, formula::Clamp {
  static constexpr const char* name = "clamp";

  /// \throws ValueError when low > high, or either is nan.
  constexpr Clamp(double least, double most) : formula::Clamp{least, most} {
    if (!(least <= most))
      throw ValueError(message("clamp: the lower end ", least, " must not be above the upper end ",
                               most, ", and neither may be nan"));
  }

  /// As an option of another operation: `.activation = Clamp{-1, 1}`.
  constexpr operator Activation() const { return {Activation::clamp, low, high}; }
};

/// \throws ValueError when low > high.
template <Operand X>
auto clamp(const X& x, double low, double high) {
  return Clamp(low, high)(x);
}

}  // namespace ebb
