/// \file
/// Joining and splitting dual numbers, on CUDA.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/tape/forward.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

template <class T>
EBB_KERNEL join_dual_kernel(Index n, const T* x, const T* v, Dual<T>* y) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) y[i] = Dual<T>(x[i], v[i]);
}
template <class T>
EBB_KERNEL split_dual_kernel(Index n, const Dual<T>* x, T* value, T* tangent) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) {
    value[i] = x[i].value;
    tangent[i] = x[i].tangent;
  }
}

}  // namespace detail

/// Kernel: y = x + e v.
template <class T>
void join_dual(Cuda, View<const T, 1> x, View<const T, 1> v, View<Dual<T>, 1> y) {
  if (const Index n = y.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::join_dual_kernel<T>, n, x.data,
                v.data, y.data);
}

/// Kernel: the two parts of x.
template <class T>
void split_dual(Cuda, View<const Dual<T>, 1> x, View<T, 1> value, View<T, 1> tangent) {
  if (const Index n = x.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::split_dual_kernel<T>, n, x.data,
                value.data, tangent.data);
}

}  // namespace ebb::kernel
