/// \file
/// Permutation of axes, element by element.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/ops/shape/permute/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::reference {

/// y[i0, i1, ...] = x at the sum of i_k stride_k.
template <class T, int N>
void permute_copy(const PermuteGeometry<N>& g, View<const T, N> x, Into<T, N> y) {
  for (Index i = 0; i < y.size(); ++i) {
    Index rest = i, from = 0;
    for (int k = N - 1; k >= 0; --k) {
      from += rest % g.shape[k] * g.stride[k];
      rest /= g.shape[k];
    }
    y.put(i, x.data[from]);
  }
}

}  // namespace ebb::kernel::reference
