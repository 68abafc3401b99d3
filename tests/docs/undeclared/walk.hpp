// A header that puts a helper of kernels, and a namespace, before users: names.py must say so.
#pragma once

#include <ebb/core/config.hpp>

namespace ebb::inline EBB_ABI {

/// Kernel: calls body.
template <int N, class Body>
void walk(const Body& body);

}  // namespace ebb

namespace ebb::inline EBB_ABI::stray {}
