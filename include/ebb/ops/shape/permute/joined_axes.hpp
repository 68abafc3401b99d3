/// \file
/// A permutation of as few axes as do the same.
#pragma once

#include <ebb/ops/shape/permute/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// The axes of a permutation, with those that stay neighbours joined and those of extent 1 left
/// out: (n, h, w, c) -> (n, c, h, w) becomes a batch of plain matrix transpositions.
template <int N>
struct JoinedAxes {
  int rank = 0;
  Index extent[array_size(N)]{}, from[array_size(N)]{},
      to[array_size(N)]{};  ///< extents, strides in the operand and in the result

  explicit JoinedAxes(const PermuteGeometry<N>& g) {
    for (int k = 0; k < N; ++k) {
      if (g.shape[k] == 1) continue;
      if (rank > 0 && from[rank - 1] == g.stride[k] * g.shape[k]) {
        extent[rank - 1] *= g.shape[k];
        from[rank - 1] = g.stride[k];
      } else {
        extent[rank] = g.shape[k];
        from[rank++] = g.stride[k];
      }
    }
    if (rank == 0) extent[rank] = from[rank] = 1, ++rank;
    Index stride = 1;
    for (int k = rank - 1; k >= 0; --k) {
      to[k] = stride;
      stride *= extent[k];
    }
  }
};

}  // namespace ebb::kernel::detail
