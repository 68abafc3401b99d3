/// \file
/// The kernels of all binary elementwise operations, on CUDA.
#pragma once

#include <ebb/kit/counting.hpp>
#include <ebb/kit/fold_parts.cuh>
#include <ebb/ops/elementwise/broadcast/cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// y = f.value(a, b) of the loop of y, a and b.
template <class F, class T>
struct ZipBody {
  F f;
  const T *a, *b;
  T* y;
  template <class I>
  EBB_DEVICE void operator()(I i, const I (&at)[2]) const {
    y[i] = f.value(a[at[0]], b[at[1]]);
  }
};

/// slope * dy; arrays are a, b and dy.
template <Side side, class F, class T>
struct SlopeTimes {
  F f;
  const T *a, *b, *dy;
  template <class I>
  EBB_DEVICE T operator()(I, const I (&at)[3], I) const {
    if constexpr (constant_slope<F, side>)
      return slope_of<side>(f, T(), T()) * dy[at[2]];
    else
      return slope_of<side>(f, a[at[0]], b[at[1]]) * dy[at[2]];
  }
};

/// `zip` where every operand is as large as y, or has one element: packs, as elementwise functions
/// of one tensor have it.
template <int V, class I, class F, class T>
EBB_KERNEL zip_kernel(F f, I n, const T* a, const T* b, T* y, bool one_a, bool one_b) {
  const I packs = n / V, step = gpu::threads_as<I>();
  for (I p = gpu::thread_as<I>(); p < packs; p += step) {
    gpu::Pack<T, V> from_a, from_b;
    if (one_a)
      EBB_UNROLL for (int k = 0; k < V; ++k) from_a[k] = a[0];
    else
      from_a = gpu::load_pack<V>(a + p * V);
    if (one_b)
      EBB_UNROLL for (int k = 0; k < V; ++k) from_b[k] = b[0];
    else
      from_b = gpu::load_pack<V>(b + p * V);
    EBB_UNROLL
    for (int k = 0; k < V; ++k) from_a[k] = f.value(from_a[k], from_b[k]);
    gpu::store_pack(y + p * V, from_a);
  }
  for (I i = packs * V + gpu::thread_as<I>(); i < n; i += step)
    y[i] = f.value(a[one_a ? 0 : i], b[one_b ? 0 : i]);
}

}  // namespace detail

/// Kernel: y = f.value(a, b), each operand repeated along the axes where it has one element.
template <class F, class T, int NA, int NB, int N>
void zip(Cuda, const F& f, View<const T, NA> a, View<const T, NB> b, View<T, N> y) {
  const Index n = y.size();
  if (n == 0) return;
  const auto loop = broadcast_loop(y.shape, y.shape, a.shape, b.shape);
  if (loop.rank > 1)
    return detail::walk_on_gpu(loop, detail::ZipBody<F, T>{f, a.data, b.data, y.data});
  const bool one_a = loop.step(1) == 0, one_b = loop.step(2) == 0;
  constexpr int full = 16 % sizeof(T) == 0 ? gpu::pack_of<T> : 1;
  gpu::with_index(n, [&]<class I>(I) {
    const auto run = [&]<int V>(std::integral_constant<int, V>) {
      gpu::launch(gpu::blocks_for(divide_up(n, V)), gpu::block_size, 0,
                  detail::zip_kernel<V, I, F, T>, f, static_cast<I>(n), a.data, b.data, y.data,
                  one_a, one_b);
    };
    if (gpu::packable(one_a ? nullptr : a.data, one_b ? nullptr : b.data, y.data))
      run(std::integral_constant<int, full>{});
    else
      run(std::integral_constant<int, 1>{});
  });
}

/// Kernel: the gradient of one operand, slope * dy summed over the axes along which the operand was
/// repeated. Where the slope is a constant, the data of `a` and `b` is not looked at.
template <Side side, class F, class T, int NA, int NB, int N, int M>
void zip_backward(Cuda, const F& f, View<const T, NA> a, View<const T, NB> b, View<const T, N> dy,
                  Into<T, M> dx) {
  if (dx.size() == 0) return;
  const auto loop = broadcast_loop(dy.shape, dx.shape, a.shape, b.shape, dy.shape);
  using Values = detail::SlopeTimes<side, F, T>;
  const Values values{f, a.data, b.data, dy.data};
  const Into<T, 1> into{dx.data, Shape<1>{dx.size()}, dx.add};
  if (dx.size() == loop.size())
    detail::walk_on_gpu(loop, detail::PutEach<Values, T>{values, into});
  else
    fold_on_gpu<T>(loop, AddUp{}, values, detail::PutTotal<T>{into});
}

}  // namespace ebb::kernel
