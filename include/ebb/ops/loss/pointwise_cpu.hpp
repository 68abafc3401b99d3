/// \file
/// The kernels of losses that are a sum of one term per element.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/kit/fold.hpp>
#include <ebb/kit/slope.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// The terms of n elements added up.
template <class F, class T>
T pointwise_sum(const F& f, Index n, const T* x, const T* t) {
  return fold_all<T>(n, F::cost, AddUp{}, [&f, x, t](Index i) { return f.value(x[i], t[i]); });
}

/// `pointwise_loss_backward` of n elements.
template <Side side, class F, class T>
void pointwise_slopes(const F& f, T factor, Index n, const T* x, const T* t, T* dx, bool add) {
  parallel_ranges(n, F::cost, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      T slope;
      if constexpr (side == Side::a)
        slope = f.slope_a(x[i], t[i]);
      else
        slope = f.slope_b(x[i], t[i]);
      const T g = factor * slope;
      dx[i] = add ? dx[i] + g : g;
    }
  });
}

}  // namespace detail

/// Kernel: y = sum f.value(x, t) / divisor.
template <class F, class T, int N>
void pointwise_loss(Cpu, const F& f, T divisor, View<const T, N> x, View<const T, N> t,
                    View<T, 0> y) {
  y.data[0] = detail::pointwise_sum(f, x.size(), x.data, t.data) / divisor;
}

/// Kernel: dx = f.slope_a(x, t) (gain dy / divisor), with F::slope_gain; or the same with slope_b
/// for the target.
template <Side side, class F, class T, int N>
void pointwise_loss_backward(Cpu, const F& f, T divisor, View<const T, N> x, View<const T, N> t,
                             View<const T, 0> dy, Into<T, N> dx) {
  const T factor = T(F::slope_gain) * (dy.data[0] / divisor);
  detail::pointwise_slopes<side>(f, factor, dx.size(), x.data, t.data, dx.data, dx.add);
}

}  // namespace ebb::kernel

/// Lists the kernels of a pointwise loss, at the end of its header (device/compiled.hpp).
#define EBB_COMPILED_POINTWISE(F)     \
  EBB_COMPILED_POINTWISE_OF(F, float) \
  EBB_COMPILED_POINTWISE_OF(F, double)
#define EBB_COMPILED_POINTWISE_OF(F, T)                                                    \
  EBB_COMPILED(T kernel::detail::pointwise_sum<F, T>(const F&, Index, const T*, const T*)) \
  EBB_COMPILED(void kernel::detail::pointwise_slopes<kernel::Side::a, F, T>(               \
      const F&, T, Index, const T*, const T*, T*, bool))                                   \
  EBB_COMPILED(void kernel::detail::pointwise_slopes<kernel::Side::b, F, T>(               \
      const F&, T, Index, const T*, const T*, T*, bool))
