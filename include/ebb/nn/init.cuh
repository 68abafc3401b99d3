/// \file
/// Initial values of parameters, on CUDA: the CPU's random numbers.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/nn/init.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {
template <class F, class T>
EBB_KERNEL generate_kernel(F f, Index n, T* y) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) y[i] = f(i);
}
}  // namespace detail

/// Kernel: y[i] = f(i).
template <class F, class T, int N>
void generate(Cuda, const F& f, View<T, N> y) {
  if (const Index n = y.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::generate_kernel<F, T>, f, n,
                y.data);
}

}  // namespace ebb::kernel
