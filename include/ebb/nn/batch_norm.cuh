/// \file
/// The counter of batch normalisation layers, on CUDA.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/nn/batch_norm.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {
template <class T>
EBB_KERNEL increment_kernel(T* counter) {
  ++*counter;
}
}  // namespace detail

/// Kernel: a counter goes up by one.
template <class T>
void increment(Cuda, View<T, 0> counter) {
  gpu::launch(1, 1, 0, detail::increment_kernel<T>, counter.data);
}

}  // namespace ebb::kernel
