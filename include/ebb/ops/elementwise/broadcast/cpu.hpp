/// \file
/// The kernels of all binary elementwise operations: one forward, one backward.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/kit/broadcast.hpp>
#include <ebb/kit/fold.hpp>
#include <ebb/kit/slope.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// `zip` over the loop of y, a and b.
template <class F, class T, int N>
void zip_loop(const F& f, const Loop<N, 3>& loop, const T* a, const T* b, T* y) {
  with_steps(loop.step(1), loop.step(2), [&](auto step_a, auto step_b) {
    walk(loop, F::cost, [&](const Index(&at)[3], Index count) {
      T* const to = y + at[0];
      const T* const from_a = a + at[1];
      const T* const from_b = b + at[2];
      const F g = f;
      EBB_SIMD
      for (Index j = 0; j < count; ++j) to[j] = g.value(from_a[j * step_a()], from_b[j * step_b()]);
    });
  });
}

/// `zip_backward` over the loop of dx, a, b and dy.
template <Side side, class F, class T, int N>
void zip_grad_loop(const F& f, const Loop<N, 4>& loop, const T* a, const T* b, const T* dy,
                   Into<T, 1> dx) {
  // `own` is the step of the operand whose gradient it is, `other` that of the other one.
  const auto for_steps = [&](auto own, auto other) {
    const auto row_at = [&](const Index(&at)[4]) {
      const T* const from_dy = dy + at[3];
      if constexpr (constant_slope<F, side>) {
        return
            [slope = slope_of<side>(f, T(), T()), from_dy](Index j) { return slope * from_dy[j]; };
      } else {
        return [=, g = f, from_a = a + at[1], from_b = b + at[2]](Index j) {
          constexpr Index step_a = side == Side::a ? own() : other();
          constexpr Index step_b = side == Side::a ? other() : own();
          return slope_of<side>(g, from_a[j * step_a], from_b[j * step_b]) * from_dy[j];
        };
      }
    };
    if (dx.size() != loop.size())
      return fold_axes<T>(own, loop, F::cost, AddUp{}, row_at,
                          [&](Index at, T total) { dx.put(at, total); });
    if constexpr (own() == 1)
      walk(loop, F::cost, [&](const Index(&at)[4], Index count) {
        const auto row = row_at(at);
        T* const to = dx.data + at[0];
        if (dx.add) {
          EBB_SIMD
          for (Index j = 0; j < count; ++j) to[j] += row(j);
        } else {
          EBB_SIMD
          for (Index j = 0; j < count; ++j) to[j] = row(j);
        }
      });
  };
  // Both steps matter where the slope depends on the operands; never are both 0.
  if (loop.step(0) == 0)
    for_steps(Step<0>{}, Step<1>{});
  else if (constant_slope<F, side> || loop.step(side == Side::a ? 2 : 1) != 0)
    for_steps(Step<1>{}, Step<1>{});
  else if constexpr (!constant_slope<F, side>)
    for_steps(Step<1>{}, Step<0>{});
}

}  // namespace detail

/// Kernel: y = f.value(a, b), each operand repeated along the axes where it has one element.
template <class F, class T, int NA, int NB, int N>
void zip(Cpu, const F& f, View<const T, NA> a, View<const T, NB> b, View<T, N> y) {
  if constexpr (N == 0)  // scalar computations are all overhead: spare them the loop
    *y.data = f.value(*a.data, *b.data);
  else
    detail::zip_loop(f, broadcast_loop(y.shape, y.shape, a.shape, b.shape), a.data, b.data, y.data);
}

/// Kernel: the gradient of one operand, slope * dy summed over the axes along which the operand was
/// repeated. Where the slope is a constant, the data of `a` and `b` is not looked at.
template <Side side, class F, class T, int NA, int NB, int N, int M>
void zip_backward(Cpu, const F& f, View<const T, NA> a, View<const T, NB> b, View<const T, N> dy,
                  Into<T, M> dx) {
  if constexpr (N == 0) {
    if constexpr (constant_slope<F, side>)
      dx.put(0, slope_of<side>(f, T(), T()) * *dy.data);
    else
      dx.put(0, slope_of<side>(f, *a.data, *b.data) * *dy.data);
  } else if (dx.size() != 0) {
    detail::zip_grad_loop<side>(f, broadcast_loop(dy.shape, dx.shape, a.shape, b.shape, dy.shape),
                                a.data, b.data, dy.data,
                                Into<T, 1>{dx.data, Shape<1>{dx.size()}, dx.add});
  }
}

}  // namespace ebb::kernel

/// Lists the kernels of a binary function, at the end of its header (device/compiled.hpp).
#define EBB_COMPILED_BINARY(F)     \
  EBB_COMPILED_BINARY_OF(F, float) \
  EBB_COMPILED_BINARY_OF(F, double)
#define EBB_COMPILED_BINARY_OF(F, T)                                                       \
  EBB_COMPILED(void kernel::detail::zip_loop<F, T, 4>(const F&, const kernel::Loop<4, 3>&, \
                                                      const T*, const T*, T*))             \
  EBB_COMPILED_SLOPE_OF(kernel::Side::a, F, T)                                             \
  EBB_COMPILED_SLOPE_OF(kernel::Side::b, F, T)
#define EBB_COMPILED_SLOPE_OF(side, F, T)                         \
  EBB_COMPILED(void kernel::detail::zip_grad_loop<side, F, T, 4>( \
      const F&, const kernel::Loop<4, 4>&, const T*, const T*, const T*, Into<T, 1>))
