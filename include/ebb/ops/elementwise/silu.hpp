/// \file
/// The sigmoid linear unit, also called swish.
#pragma once

#include <ebb/ops/elementwise/sigmoid.hpp>

namespace ebb::inline EBB_ABI {

/// y = x sigmoid(x); dx = s (1 + x (1 - s)) dy with s = sigmoid(x).
/// Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units for neural network function approximation
/// in reinforcement learning", Neural Networks 107, 2018.
struct Silu : Elementwise<Silu> {
  static constexpr const char* name = "silu";
  static constexpr Index cost = 4;
  template <class T>
  EBB_HD T value(T x) const {
    return x * Sigmoid{}.value(x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    const T s = Sigmoid{}.value(x);
    return s * (T(1) + x * (T(1) - s));
  }
};
inline constexpr Silu silu;

}  // namespace ebb
