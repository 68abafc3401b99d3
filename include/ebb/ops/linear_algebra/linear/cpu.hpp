/// \file
/// The affine map on the CPU: its product with what is done to results while they are stored, and
/// the sum of rows.
#pragma once

#include <ebb/kit/product/cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: y = x w^T for x (m, k), w (n, k) and y (m, n), and then what `end` says, whose channels
/// are the columns of y.
template <class T>
void linear_forward(Cpu, View<const T, 2> x, View<const T, 2> w, View<T, 2> y,
                    const Epilogue<T>& end = {}) {
  const Index m = y.extent(0), n = y.extent(1), k = x.extent(1);
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    detail::gemm_matrix<T>({.b = true}, m, n, k, x.data, w.data, y.data, false, end);
  } else {
    gemm(Cpu{}, {.b = true}, x, w, Into<T, 2>{y.data, y.shape, false});
    for (Index i = 0; i < m * n; ++i) y.data[i] = end.finish(y.data[i] + end.shift(i % n), i);
  }
}

/// Kernel: elements of w (n, k) as the product of `m` rows with it packs it; 0 where that reads it
/// as it lies.
template <class T>
Index linear_packed(Cpu, Index m, View<const T, 2> w) {
  return detail::Gemm<T>({.b = true}, m, w.extent(0), w.extent(1)).packed();
}

/// Kernel: w as that product reads it.
template <class T>
void linear_pack(Cpu device, Index m, View<const T, 2> w, View<T, 1> to) {
  if (linear_packed(device, m, w) > 0)
    detail::gemm_pack<T>({.b = true}, m, w.extent(0), w.extent(1), w.data, to.data);
  else
    std::copy(w.data, w.data + w.size(), to.data);
}

/// Kernel: whether products of `m` and of `other` rows read a weight (n, k) in the same layout.
template <class T>
bool linear_reads_like(Cpu, Index m, Index other, const Shape<2>& w) {
  return detail::Gemm<T>({.b = true}, m, w[0], w[1])
      .reads_like(detail::Gemm<T>({.b = true}, other, w[0], w[1]));
}

/// Kernel: sum[j] (+)= the sum of column j of `x`, added up within blocks of rows and then over
/// the blocks.
template <class T>
void sum_rows(Cpu, View<const T, 2> x, Into<T, 1> sum) {
  constexpr Index width = 64, block = 64;
  const Index m = x.extent(0), n = x.extent(1);
  parallel_for(divide_up(n, width), x.size(), [&](Index task) {
    const Index j0 = task * width, columns = std::min(width, n - j0);
    T total[width] = {};
    for (Index i0 = 0; i0 < m; i0 += block) {
      T part[width] = {};
      for (Index i = i0; i < std::min(i0 + block, m); ++i)
        for (Index j = 0; j < columns; ++j) part[j] += x.data[i * n + j0 + j];
      for (Index j = 0; j < columns; ++j) total[j] += part[j];
    }
    for (Index j = 0; j < columns; ++j) sum.put(j0 + j, total[j]);
  });
}

}  // namespace ebb::kernel
