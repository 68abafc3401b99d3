/// \file
/// The check for numbers that are not finite, on CUDA.
#pragma once

#include <ebb/device/cuda.cuh>
#include <ebb/tape/track.hpp>

namespace ebb {
namespace detail {

/// One block: `at` becomes the first element of x that is nan or infinite, or n.
template <class T>
EBB_KERNEL first_non_finite_kernel(Index n, const T* x, Index* at) {
  EBB_SHARED(Index, first, [gpu::block_size]);
  const int t = static_cast<int>(threadIdx.x);
  Index found = n;
  for (Index i = t; i < n && found == n; i += gpu::block_size)
    if (!(x[i] - x[i] == T(0))) found = i;
  first[t] = found;
  __syncthreads();
  for (int apart = gpu::block_size / 2; apart > 0; apart /= 2) {
    if (t < apart && first[t + apart] < first[t]) first[t] = first[t + apart];
    __syncthreads();
  }
  if (t == 0) *at = first[0];
}

}  // namespace detail

/// Kernel: the first element that is nan or infinite, or -1. Waits for the GPU.
template <class T, int N>
Index first_non_finite(Cuda, View<const T, N> x) {
  const Index n = x.size();
  if (n == 0) return -1;
  Block* const block = Cuda::take(sizeof(Index));
  auto* const at = static_cast<Index*>(block->data);
  Index found = n;
  gpu::launch(1, gpu::block_size, 0, detail::first_non_finite_kernel<T>, n, x.data, at);
  Cuda::download(&found, at, sizeof found);
  Cuda::give(block);
  return found < n ? found : -1;
}

}  // namespace ebb
