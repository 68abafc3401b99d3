/// \file
/// The logistic sigmoid.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = 1 / (1 + e^-x), by the form that cannot overflow: e^-|x| is at most one.
/// dx = y (1 - y) dy.
struct Sigmoid : Elementwise<Sigmoid> {
  static constexpr const char* name = "sigmoid";
  static constexpr Index cost = 4;
  template <class T>
  EBB_HD T value(T x) const {
    const T tail = math::exp(math::select(x < T(0), x, -x));
    return math::select(x < T(0), tail, T(1)) / (T(1) + tail);
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return y * (T(1) - y);
  }
};
inline constexpr Sigmoid sigmoid;

EBB_COMPILED_ELEMENTWISE(Sigmoid)

}  // namespace ebb
