/// \file
/// Operands that a layer may do without.
#pragma once

#include <ebb/tape/var.hpp>

namespace ebb::inline EBB_ABI::detail {

/// Whether an operand is there: an absent `Param`, or an undefined tensor, stands for a layer
/// without a bias.
template <Operand B>
bool present(const B& operand) {
  if constexpr (is_param<B>)
    return operand.defined();
  else
    return value(operand).defined();
}

/// A view of the operand, or an empty one where there is none.
template <class T>
View<const T, 1> view_or_none() {
  return {};
}
template <class T, Operand B>
View<const T, 1> view_or_none(const B& operand) {
  return present(operand) ? value(operand).view() : View<const T, 1>{};
}

}  // namespace ebb::detail
