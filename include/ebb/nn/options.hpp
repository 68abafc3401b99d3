/// \file
/// What the constructors of layers check.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/core/error.hpp>

namespace ebb::inline EBB_ABI::nn::detail {

/// \throws ValueError unless `value` is at least 1.
inline Index require_positive(const char* layer, const char* what, Index value) {
  if (value < 1) throw ValueError(message(layer, ": ", what, " = ", value, " must be at least 1"));
  return value;
}

/// \throws ValueError unless `groups` divides both numbers of channels.
inline void require_groups(const char* layer, Index in, Index out, Index groups) {
  require_positive(layer, "groups", groups);
  if (in % groups != 0 || out % groups != 0)
    throw ValueError(message(layer, ": groups = ", groups, " must divide both the ", in,
                             " input and the ", out, " output channels"));
}

}  // namespace ebb::nn::detail
