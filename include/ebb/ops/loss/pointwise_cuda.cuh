/// \file
/// Losses that are a sum of one term per element, on CUDA.
#pragma once

#include <ebb/kit/fold_parts.cuh>
#include <ebb/ops/loss/pointwise_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

template <class F, class T>
struct TermOf {
  F f;
  const T *x, *t;
  template <class I>
  EBB_DEVICE T operator()(I, const I (&at)[1], I) const {
    return f.value(x[at[0]], t[at[0]]);
  }
};

/// dx = slope (gain dy / divisor).
template <Side side, class F, class T>
EBB_KERNEL pointwise_slopes_kernel(F f, T divisor, Index n, const T* x, const T* t, const T* dy,
                                   T* dx, bool add) {
  const T factor = T(F::slope_gain) * (dy[0] / divisor);
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) {
    T slope;
    if constexpr (side == Side::a)
      slope = f.slope_a(x[i], t[i]);
    else
      slope = f.slope_b(x[i], t[i]);
    dx[i] = add ? dx[i] + factor * slope : factor * slope;
  }
}

}  // namespace detail

/// Kernel: y = sum f.value(x, t) / divisor.
template <class F, class T, int N>
void pointwise_loss(Cuda, const F& f, T divisor, View<const T, N> x, View<const T, N> t,
                    View<T, 0> y) {
  fold_on_gpu<T>(broadcast_loop(x.shape, Shape<0>{}, x.shape), AddUp{},
                 detail::TermOf<F, T>{f, x.data, t.data},
                 detail::StoreQuotient<T>{divisor, y.data});
}

/// Kernel: dx = f.slope_a(x, t) (gain dy / divisor), with F::slope_gain; or the same with slope_b
/// for the target.
template <Side side, class F, class T, int N>
void pointwise_loss_backward(Cuda, const F& f, T divisor, View<const T, N> x, View<const T, N> t,
                             View<const T, 0> dy, Into<T, N> dx) {
  if (const Index n = dx.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::pointwise_slopes_kernel<side, F, T>,
                f, divisor, n, x.data, t.data, dy.data, dx.data, dx.add);
}

}  // namespace ebb::kernel
