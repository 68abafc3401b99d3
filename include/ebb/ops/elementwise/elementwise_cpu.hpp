/// \file
/// The kernels of elementwise functions of one tensor: one forward and one backward serve them all.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// `map` of n numbers.
template <class F, class T>
void map_numbers(const F& f, Index n, const T* x, T* y) {
  parallel_ranges(n, F::cost, [&](Index begin, Index end) {
    const F g = f;
    const T* const from = x;
    T* const to = y;
    EBB_SIMD
    for (Index i = begin; i < end; ++i) to[i] = g.value(from[i]);
  });
}

/// `map_backward` of n numbers.
template <class F, class T>
void map_grad_numbers(const F& f, Index n, const T* saved, const T* dy, T* dx, bool add) {
  // (Asked here, because nvcc answers wrongly inside of the lambda.)
  constexpr bool constant = requires { f.slope(); };
  constexpr bool of_output = requires { f.slope_at_output(T()); };
  parallel_ranges(n, F::cost, [&](Index begin, Index end) {
    const auto slope = [g = f, at = saved]([[maybe_unused]] Index i) {
      static_cast<void>(at);  // a constant slope needs neither
      if constexpr (constant)
        return T(g.slope());
      else if constexpr (of_output)
        return g.slope_at_output(at[i]);
      else
        return g.slope_at_input(at[i]);
    };
    const T* const from = dy;
    T* const to = dx;
    if (add) {
      EBB_SIMD
      for (Index i = begin; i < end; ++i) to[i] += slope(i) * from[i];
    } else {
      EBB_SIMD
      for (Index i = begin; i < end; ++i) to[i] = slope(i) * from[i];
    }
  });
}

}  // namespace detail

/// Kernel: y[i] = f.value(x[i]); y may be x.
template <class F, class T, int N>
void map_forward(Cpu, const F& f, View<const T, N> x, View<T, N> y) {
  detail::map_numbers(f, y.size(), x.data, y.data);
}

/// Kernel: dx[i] = slope * dy[i], the slope a constant or taken at the input or at the output,
/// whichever the function asks for; `saved` holds it (no memory where the slope is a constant).
/// dx may be dy.
template <class F, class T, int N>
void map_backward(Cpu, const F& f, View<const T, N> saved, View<const T, N> dy, Into<T, N> dx) {
  detail::map_grad_numbers(f, dx.size(), saved.data, dy.data, dx.data, dx.add);
}

}  // namespace ebb::kernel

/// Lists the kernels of an elementwise function, at the end of its header (device/compiled.hpp).
#define EBB_COMPILED_ELEMENTWISE(F)     \
  EBB_COMPILED_ELEMENTWISE_OF(F, float) \
  EBB_COMPILED_ELEMENTWISE_OF(F, double)
#define EBB_COMPILED_ELEMENTWISE_OF(F, T)                                             \
  EBB_COMPILED(void kernel::detail::map_numbers<F, T>(const F&, Index, const T*, T*)) \
  EBB_COMPILED(                                                                       \
      void kernel::detail::map_grad_numbers<F, T>(const F&, Index, const T*, const T*, T*, bool))
