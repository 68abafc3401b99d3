/// \file
/// The check for numbers that are not finite, on CUDA.
#pragma once

#include <ebb/device/cuda/scratch.cuh>
#include <ebb/tape/track.hpp>
#include <ebb/tensor/storage.cuh>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// at[0] becomes the smallest i of those whose x[i] is nan or infinite. (A minimum of whole numbers
/// does not depend on the order of its atomics.)
template <class T>
EBB_KERNEL first_non_finite_kernel(Index n, const T* x, unsigned long long* at) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads())
    if (!(x[i] - x[i] == T(0))) {
      atomicMin(at, static_cast<unsigned long long>(i));
      return;  // this thread's others come later
    }
}

}  // namespace detail

/// Kernel: the first element that is nan or infinite, or -1. Waits for the GPU: a tape that checks
/// cannot be captured.
template <class T, int N>
Index first_non_finite(Cuda, View<const T, N> x) {
  const Index n = x.size();
  if (n == 0) return -1;
  const CudaScratch<unsigned long long> at(1);
  auto found = static_cast<unsigned long long>(n);
  fill(Cuda{}, View<unsigned long long, 0>{at.data(), {}}, found);
  gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::first_non_finite_kernel<T>, n, x.data,
              at.data());
  gpu::download(&found, at.data(), sizeof found);
  return static_cast<Index>(found) < n ? static_cast<Index>(found) : -1;
}

}  // namespace ebb::kernel
