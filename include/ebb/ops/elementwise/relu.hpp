/// \file
/// The rectified linear unit.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = max(x, 0); dx = dy where y > 0, so that only the output is kept. Not-a-number passes
/// through, forward and backward. Nair & Hinton, "Rectified linear units improve restricted
/// Boltzmann machines", ICML 2010.
struct Relu : Elementwise<Relu>, formula::Relu {
  static constexpr const char* name = "relu";
  /// As an option of another operation: `.activation = relu`.
  constexpr operator Activation() const { return Activation::relu; }
};
inline constexpr Relu relu;

EBB_COMPILED_ELEMENTWISE(Relu)

}  // namespace ebb
