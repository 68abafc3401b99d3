/// \file
/// Elementwise functions of one tensor, on CUDA.
#pragma once

#include <ebb/device/cuda.cuh>
#include <ebb/ops/elementwise.hpp>

namespace ebb {
namespace detail {

template <class F, class T>
EBB_KERNEL map_kernel(F f, Index n, const T* x, T* y) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) y[i] = f.value(x[i]);
}

template <class F, class T>
EBB_DEVICE T slope_of(const F& f, [[maybe_unused]] const T* saved, [[maybe_unused]] Index i) {
  if constexpr (requires { f.slope(); })
    return T(f.slope());
  else if constexpr (requires { f.slope_at_output(saved[i]); })
    return f.slope_at_output(saved[i]);
  else
    return f.slope_at_input(saved[i]);
}

template <class F, class T>
EBB_KERNEL map_grad_kernel(F f, Index n, const T* saved, const T* dy, T* dx, bool add) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) {
    const T d = slope_of(f, saved, i) * dy[i];
    dx[i] = add ? dx[i] + d : d;
  }
}

}  // namespace detail

/// Kernel: y[i] = f.value(x[i]); y may be x.
template <class F, class T, int N>
void map(Cuda, const F& f, View<const T, N> x, View<T, N> y) {
  if (const Index n = y.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::map_kernel<F, T>, f, n, x.data,
                y.data);
}

/// Kernel: dx[i] = slope * dy[i], as on the CPU; dx may be dy.
template <class F, class T, int N>
void map_grad(Cuda, const F& f, View<const T, N> saved, View<const T, N> dy, Into<T, N> dx) {
  if (const Index n = dx.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::map_grad_kernel<F, T>, f, n,
                saved.data, dy.data, dx.data, dx.add);
}

}  // namespace ebb
