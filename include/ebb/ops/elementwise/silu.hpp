/// \file
/// The sigmoid linear unit, also called swish.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = x sigmoid(x); dx = s (1 + x (1 - s)) dy with s = sigmoid(x).
/// Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units for neural network function approximation
/// in reinforcement learning", Neural Networks 107, 2018.
struct Silu : Elementwise<Silu>, formula::Silu {
  static constexpr const char* name = "silu";
  static constexpr Index cost = 4;
  /// As an option of another operation: `.activation = silu`.
  constexpr operator Activation() const { return Activation::silu; }
};
inline constexpr Silu silu;

EBB_COMPILED_ELEMENTWISE(Silu)

}  // namespace ebb
