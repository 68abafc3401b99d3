/// \file
/// The affine map on CUDA: its product with the bias and the rectifier added while results are
/// stored, and the sum of rows.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/kit/fold_parts.cuh>
#include <ebb/kit/product/cuda.cuh>
#include <ebb/ops/linear_algebra/linear/cpu.hpp>

namespace ebb::inline EBB_ABI {

/// Kernel: y = x w^T + bias for x (m, k), w (n, k), bias (n) and y (m, n), then max(0, y) where
/// `relu` says so. A bias without data counts as none. With relu, nan stays nan.
template <class T>
void linear_forward(Cuda, View<const T, 2> x, View<const T, 2> w, View<const T, 1> bias, bool relu,
                    View<T, 2> y) {
  detail::gemm_on_gpu<T>({.b = true}, 1, y.extent(0), y.extent(1), x.extent(1), x.data, w.data,
                         y.data, false, {bias.data, relu});
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

}  // namespace ebb
