/// \file
/// The logistic sigmoid.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = 1 / (1 + e^-x), by the form that cannot overflow: e^-|x| is at most one.
/// dx = y (1 - y) dy.
struct Sigmoid : Elementwise<Sigmoid>, formula::Sigmoid {
  static constexpr const char* name = "sigmoid";
  static constexpr Index cost = 4;
  /// As an option of another operation: `.activation = sigmoid`.
  constexpr operator Activation() const { return Activation::sigmoid; }
};
inline constexpr Sigmoid sigmoid;

EBB_COMPILED_ELEMENTWISE(Sigmoid)

}  // namespace ebb
