/// \file
/// Counting pieces.
#pragma once

#include <ebb/core/config.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Pieces of b that cover a.
EBB_HD constexpr Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

}  // namespace ebb::kernel::detail
