/// \file
/// The affine map on CUDA: its product with what is done to results while they are stored, and
/// the sum of rows.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/kit/fold_parts.cuh>
#include <ebb/kit/product/cuda.cuh>
#include <ebb/ops/linear_algebra/linear/cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: y = x w^T for x (m, k), w (n, k) and y (m, n), and then what `end` says, whose channels
/// are the columns of y.
template <class T>
void linear_forward(Cuda, View<const T, 2> x, View<const T, 2> w, View<T, 2> y,
                    const Epilogue<T>& end = {}) {
  detail::gemm_on_gpu<T>({.b = true}, 1, y.extent(0), y.extent(1), x.extent(1), x.data, w.data,
                         y.data, false, end);
}

/// Kernel: sum[j] (+)= the sum of column j of `x`.
template <class T>
void sum_rows(Cuda, View<const T, 2> x, Into<T, 1> sum) {
  Loop<2, 2> loop;
  loop.push(x.extent(0), {0, x.extent(1)});
  loop.push(x.extent(1), {1, 1});
  fold_on_gpu<T>(loop, AddUp{}, detail::Elements<T>{x.data}, detail::PutTotal<T>{sum});
}

EBB_COMPILED_ON_CUDA(void sum_rows<float>(Cuda, View<const float, 2>, Into<float, 1>))
EBB_COMPILED_ON_CUDA(void sum_rows<double>(Cuda, View<const double, 2>, Into<double, 1>))

}  // namespace ebb::kernel
