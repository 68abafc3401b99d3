/// \file
/// Elementwise functions of one tensor, on CUDA. They wait for memory: sixteen bytes an access, and
/// enough threads that each multiprocessor has tens of kilobytes under way.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/elementwise/elementwise_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// The slope of f where `saved` holds its input or its output, whichever it asks for.
template <class F, class T>
EBB_DEVICE T slope_from(const F& f, [[maybe_unused]] T saved) {
  if constexpr (requires { f.slope(); })
    return T(f.slope());
  else if constexpr (requires { f.slope_at_output(saved); })
    return f.slope_at_output(saved);
  else
    return f.slope_at_input(saved);
}

template <class F>
inline constexpr bool has_constant_slope = requires(const F& f) {
  f.slope();
};

/// V elements a thread at a time; what is left of n goes to single threads. y may be x.
template <int V, class I, class F, class T>
EBB_KERNEL map_kernel(F f, I n, const T* x, T* y) {
  const I packs = n / V, step = gpu::threads_as<I>();
  for (I p = gpu::thread_as<I>(); p < packs; p += step) {
    gpu::Pack<T, V> pack = gpu::load_pack<V>(x + p * V);
    EBB_UNROLL
    for (int k = 0; k < V; ++k) pack[k] = f.value(pack[k]);
    gpu::store_pack(y + p * V, pack);
  }
  for (I i = packs * V + gpu::thread_as<I>(); i < n; i += step) y[i] = f.value(x[i]);
}

template <int V, class I, class F, class T>
EBB_KERNEL map_grad_kernel(F f, I n, const T* saved, const T* dy, T* dx, bool add) {
  constexpr bool reads = !has_constant_slope<F>;
  const I packs = n / V, step = gpu::threads_as<I>();
  for (I p = gpu::thread_as<I>(); p < packs; p += step) {
    gpu::Pack<T, V> at{}, sum{};
    if constexpr (reads) at = gpu::load_pack<V>(saved + p * V);
    if (add) sum = gpu::load_pack<V>(dx + p * V);
    gpu::Pack<T, V> d = gpu::load_pack<V>(dy + p * V);
    EBB_UNROLL
    for (int k = 0; k < V; ++k) {
      d[k] = slope_from(f, at[k]) * d[k];
      if (add) d[k] = sum[k] + d[k];
    }
    gpu::store_pack(dx + p * V, d);
  }
  for (I i = packs * V + gpu::thread_as<I>(); i < n; i += step) {
    T at{};
    if constexpr (reads) at = saved[i];
    const T d = slope_from(f, at) * dy[i];
    dx[i] = add ? dx[i] + d : d;
  }
}

/// Calls f with the number of elements a thread takes at a time, as a constant.
template <class T, class F>
void with_pack(bool packable, F&& f) {
  constexpr int full = 16 % sizeof(T) == 0 ? gpu::pack_of<T> : 1;
  if (packable)
    f(std::integral_constant<int, full>{});
  else
    f(std::integral_constant<int, 1>{});
}

/// Blocks for n elements, V a thread.
inline int blocks_of_packs(Index n, int v) { return gpu::blocks_for(divide_up(n, v)); }

}  // namespace detail

/// Kernel: y[i] = f.value(x[i]); y may be x.
template <class F, class T, int N>
void map_forward(Cuda, const F& f, View<const T, N> x, View<T, N> y) {
  const Index n = y.size();
  if (n == 0) return;
  gpu::with_index(n, [&]<class I>(I) {
    detail::with_pack<T>(gpu::packable(x.data, y.data), [&]<int V>(std::integral_constant<int, V>) {
      gpu::launch(detail::blocks_of_packs(n, V), gpu::block_size, 0, detail::map_kernel<V, I, F, T>,
                  f, static_cast<I>(n), x.data, y.data);
    });
  });
}

/// Kernel: dx[i] = slope * dy[i], as on the CPU; dx may be dy.
template <class F, class T, int N>
void map_backward(Cuda, const F& f, View<const T, N> saved, View<const T, N> dy, Into<T, N> dx) {
  const Index n = dx.size();
  if (n == 0) return;
  gpu::with_index(n, [&]<class I>(I) {
    detail::with_pack<T>(gpu::packable(saved.data, dy.data, dx.data),
                         [&]<int V>(std::integral_constant<int, V>) {
                           gpu::launch(detail::blocks_of_packs(n, V), gpu::block_size, 0,
                                       detail::map_grad_kernel<V, I, F, T>, f, static_cast<I>(n),
                                       saved.data, dy.data, dx.data, dx.add);
                         });
  });
}

}  // namespace ebb::kernel
