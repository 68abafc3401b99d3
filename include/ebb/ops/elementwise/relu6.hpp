/// \file
/// The rectified linear unit with an upper limit.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = min(max(x, 0), 6); dx = dy where 0 < y < 6, so that only the output is kept. Not-a-number
/// passes through, forward and backward. Krizhevsky, "Convolutional deep belief networks on
/// CIFAR-10", 2010.
struct Relu6 : Elementwise<Relu6>, formula::Relu6 {
  static constexpr const char* name = "relu6";
  /// As an option of another operation: `.activation = relu6`.
  constexpr operator Activation() const { return Activation::relu6; }
};
inline constexpr Relu6 relu6;

EBB_COMPILED_ELEMENTWISE(Relu6)

}  // namespace ebb
