/// \file
/// Matrix products in plain loops, for any scalar: the oracle of the fast kernels.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Which operands of a product are stored transposed.
struct Transposed {
  bool a = false, b = false;
};

namespace reference {

/// Kernel: c (+)= op(a) op(b) for each matrix of a batch; op(a) is (m, k), op(b) is (k, n).
template <class T>
void gemm(Transposed transposed, View<const T, 3> a, View<const T, 3> b, Into<T, 3> c) {
  const Index m = c.shape[1], n = c.shape[2], k = a.extent(transposed.a ? 1 : 2);
  for (Index batch = 0; batch < c.shape[0]; ++batch)
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) {
        T sum(0);
        for (Index l = 0; l < k; ++l)
          sum += (transposed.a ? a(batch, l, i) : a(batch, i, l)) *
                 (transposed.b ? b(batch, j, l) : b(batch, l, j));
        c.put((batch * m + i) * n + j, sum);
      }
}

EBB_COMPILED(void gemm<float>(Transposed, View<const float, 3>, View<const float, 3>,
                              Into<float, 3>))
EBB_COMPILED(void gemm<double>(Transposed, View<const double, 3>, View<const double, 3>,
                               Into<double, 3>))

}  // namespace reference
}  // namespace ebb::kernel
