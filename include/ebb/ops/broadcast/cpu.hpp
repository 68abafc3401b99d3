/// \file
/// The kernels of all binary elementwise operations: one forward, one backward.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu.hpp>
#include <ebb/ops/broadcast/geometry.hpp>
#include <ebb/ops/reduce/engine.hpp>

namespace ebb {

/// Which operand of a binary operation.
enum class Side { a, b };

/// Whether the slope of F for an operand is a constant, `f.slope_a()` or `f.slope_b()`.
template <class F, Side side>
inline constexpr bool constant_slope = [] {
  if constexpr (side == Side::a) return requires(const F& f) {
      f.slope_a();
    };
  else
    return requires(const F& f) { f.slope_b(); };
}();

/// The slope of f for an operand; where it is a constant, a and b do not matter.
template <Side side, class F, class T>
EBB_HD T slope_of(const F& f, T a, T b) {
  if constexpr (constant_slope<F, side>) {
    if constexpr (side == Side::a)
      return T(f.slope_a());
    else
      return T(f.slope_b());
  } else if constexpr (side == Side::a) {
    return f.slope_a(a, b);
  } else {
    return f.slope_b(a, b);
  }
}

/// Kernel: y = f.value(a, b), each operand repeated along the axes where it has one element.
template <class F, class T, int NA, int NB, int N>
void zip(Cpu, const F& f, View<const T, NA> a, View<const T, NB> b, View<T, N> y) {
  if constexpr (N == 0) {  // scalar computations are all overhead: spare them the loop
    *y.data = f.value(*a.data, *b.data);
    return;
  }
  const auto loop = broadcast_loop(y.shape, y.shape, a.shape, b.shape);
  with_steps(loop.step(1), loop.step(2), [&](auto step_a, auto step_b) {
    walk(loop, F::cost, [&](const Index(&at)[3], Index count) {
      T* const to = y.data + at[0];
      const T* const from_a = a.data + at[1];
      const T* const from_b = b.data + at[2];
      const F g = f;
      EBB_SIMD
      for (Index j = 0; j < count; ++j) to[j] = g.value(from_a[j * step_a()], from_b[j * step_b()]);
    });
  });
}

/// Kernel: the gradient of one operand, slope * dy summed over the axes along which the operand was
/// repeated. Where the slope is a constant, the data of `a` and `b` is not looked at.
template <Side side, class F, class T, int NA, int NB, int N, int M>
void zip_grad(Cpu, const F& f, View<const T, NA> a, View<const T, NB> b, View<const T, N> dy,
              Into<T, M> dx) {
  if constexpr (N == 0) {
    if constexpr (constant_slope<F, side>)
      dx.put(0, slope_of<side>(f, T(), T()) * *dy.data);
    else
      dx.put(0, slope_of<side>(f, *a.data, *b.data) * *dy.data);
    return;
  }
  if (dx.size() == 0) return;
  const auto loop = broadcast_loop(dy.shape, dx.shape, a.shape, b.shape, dy.shape);
  with_steps(loop.step(1), loop.step(2), [&](auto step_a, auto step_b) {
    const auto row_at = [&](const Index(&at)[4]) {
      const T* const from_dy = dy.data + at[3];
      if constexpr (constant_slope<F, side>) {
        return
            [slope = slope_of<side>(f, T(), T()), from_dy](Index j) { return slope * from_dy[j]; };
      } else {
        return [=, g = f, from_a = a.data + at[1], from_b = b.data + at[2]](Index j) {
          return slope_of<side>(g, from_a[j * step_a()], from_b[j * step_b()]) * from_dy[j];
        };
      }
    };
    if (dx.size() == dy.size()) {
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
    } else {
      fold_axes<T>(loop, F::cost, AddUp{}, row_at, [&](Index at, T total) { dx.put(at, total); });
    }
  });
}

}  // namespace ebb
