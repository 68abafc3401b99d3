/// \file
/// Whether a layer trains or evaluates, where that makes a difference.
#pragma once

#include <ebb/tape/var.hpp>

namespace ebb::inline EBB_ABI::nn {

/// How dropout and batch norm behave. `automatic` trains when the input is a variable on a tape and
/// evaluates when it is a plain tensor, so that a forgotten `eval(net)` cannot spoil a prediction.
enum class Mode { automatic, train, eval };

/// Whether a layer in this mode trains on an input of type X. A tape that is to evaluate decides
/// for all layers.
template <Operand X>
constexpr bool trains_on(Mode mode, [[maybe_unused]] const X& x) {
  if constexpr (is_var<X>)
    if (x.tape().options().evaluate) return false;
  return mode == Mode::train || (mode == Mode::automatic && is_var<X>);
}

}  // namespace ebb::nn
