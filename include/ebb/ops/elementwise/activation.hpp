/// \file
/// What a convolution or an affine map does to its result while it stores it.
#pragma once

#include <ebb/core/config.hpp>

namespace ebb::inline EBB_ABI {

/// Asked for by the name of the operation itself: `conv2d(x, w, b, {.activation = relu})` gives the
/// elements of `relu(conv2d(x, w, b))` with one pass over memory less in each direction.
enum class Activation { none, relu };

}  // namespace ebb
