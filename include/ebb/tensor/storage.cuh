/// \file
/// The kernels every tensor needs, on CUDA.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/tensor/storage.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

template <class T>
EBB_KERNEL fill_kernel(Index n, T value, T* y) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) y[i] = value;
}

template <class T>
EBB_KERNEL accumulate_kernel(Index n, const T* x, T* y, bool add) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) y[i] = add ? y[i] + x[i] : x[i];
}

}  // namespace detail

/// Kernel: every element of `y` becomes `value`.
template <class T, int N>
void fill(Cuda, View<T, N> y, T value) {
  if (const Index n = y.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::fill_kernel<T>, n, value, y.data);
}

/// Kernel: `x` into `y`, overwriting or adding as `y` says.
template <class T, int N>
void accumulate(Cuda, View<const T, N> x, Into<T, N> y) {
  if (const Index n = y.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::accumulate_kernel<T>, n, x.data,
                y.data, y.add);
}

}  // namespace ebb::kernel
