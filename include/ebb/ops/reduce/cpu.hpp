/// \file
/// The kernels of reductions. A reduced array is seen with extent 1 on each folded axis, so it
/// broadcasts against the whole one.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu.hpp>
#include <ebb/device/math.hpp>
#include <ebb/ops/broadcast/geometry.hpp>
#include <ebb/ops/reduce/engine.hpp>

#include <limits>

namespace ebb {

/// Picks the largest, or nan where there is one.
struct Largest {
  template <class T>
  EBB_HD static T neutral() {
    return T(-std::numeric_limits<double>::infinity());
  }
  template <class T>
  EBB_HD T operator()(T a, T b) const {
    return math::select((b > a) | (b != b), b, a);
  }
};

/// Picks the smallest, or nan where there is one.
struct Smallest {
  template <class T>
  EBB_HD static T neutral() {
    return T(std::numeric_limits<double>::infinity());
  }
  template <class T>
  EBB_HD T operator()(T a, T b) const {
    return math::select((b < a) | (b != b), b, a);
  }
};

/// Kernel: y = the fold of x, divided by `divisor` (1 for a sum, the count for a mean).
template <class Join, class T, int N>
void reduce(Cpu, const Join& join, T divisor, View<const T, N> x, View<T, N> y) {
  if (y.size() == 0) return;
  const bool divides = divisor != T(1);
  fold_axes<T>(
      broadcast_loop(x.shape, y.shape, x.shape), 1, join,
      [&](const Index(&at)[2]) { return [from = x.data + at[1]](Index j) { return from[j]; }; },
      [&](Index at, T total) { y.data[at] = divides ? total / divisor : total; });
}

/// Kernel: dx = factor * dy, repeated along the folded axes.
template <class T, int N>
void spread(Cpu, T factor, View<const T, N> dy, Into<T, N> dx) {
  const auto loop = broadcast_loop(dx.shape, dx.shape, dy.shape);
  with_step(loop.step(1), [&](auto step) {
    walk(loop, 1, [&](const Index(&at)[2], Index count) {
      T* const to = dx.data + at[0];
      const T* const from = dy.data + at[1];
      const T scale = factor;
      if (dx.add) {
        EBB_SIMD
        for (Index j = 0; j < count; ++j) to[j] += scale * from[j * step()];
      } else {
        EBB_SIMD
        for (Index j = 0; j < count; ++j) to[j] = scale * from[j * step()];
      }
    });
  });
}

/// Whether an element is the extremum of its axis. A nan is equal to a nan here, because it was
/// what the extremum came from.
template <class T>
EBB_HD bool is_extremum(T x, T y) {
  return (x == y) | ((x != x) & (y != y));
}

/// Kernel: the gradient of `reduce` with Largest or Smallest, dy shared evenly among the elements
/// of x equal to y (a subgradient; PyTorch's `amax` and `amin` share alike).
template <class T, int N>
void reduce_extremum_grad(Cpu, View<const T, N> x, View<const T, N> y, View<const T, N> dy,
                          Into<T, N> dx) {
  if (dx.size() == 0) return;
  Scratch<T> scratch(dy.size());
  T* const share = scratch.data();
  const auto whole = broadcast_loop(x.shape, y.shape, x.shape);
  with_step(whole.step(0), [&](auto step) {
    fold_axes<Index>(
        whole, 1, AddUp{},
        [&](const Index(&at)[2]) {
          return [from = x.data + at[1], extremum = y.data + at[0], step](Index j) {
            return Index{is_extremum(from[j], extremum[j * step()])};
          };
        },
        [&](Index at, Index ties) { share[at] = dy.data[at] / T(ties); });
  });
  const auto loop = broadcast_loop(dx.shape, dx.shape, y.shape);
  with_step(loop.step(1), [&](auto step) {
    walk(loop, 1, [&](const Index(&at)[2], Index count) {
      T* const to = dx.data + at[0];
      const T* const from = x.data + at[0];
      const T* const extremum = y.data + at[1];
      const T* const part = share + at[1];
      const bool add = dx.add;
      EBB_SIMD
      for (Index j = 0; j < count; ++j) {
        const T g =
            math::select(is_extremum(from[j], extremum[j * step()]), part[j * step()], T(0));
        to[j] = add ? to[j] + g : g;
      }
    });
  });
}

/// Kernel: the mean and the variance, sum (x - mean)^2 / divisor, in two passes.
template <class T, int N>
void variance_forward(Cpu cpu, T count, T divisor, View<const T, N> x, View<T, N> mean,
                      View<T, N> y) {
  reduce(cpu, AddUp{}, count, x, mean);
  if (y.size() == 0) return;
  const auto loop = broadcast_loop(x.shape, y.shape, x.shape);
  with_step(loop.step(0), [&](auto step) {
    fold_axes<T>(
        loop, 2, AddUp{},
        [&](const Index(&at)[2]) {
          return [from = x.data + at[1], center = mean.data + at[0], step](Index j) {
            const T d = from[j] - center[j * step()];
            return d * d;
          };
        },
        [&](Index at, T total) { y.data[at] = total / divisor; });
  });
}

/// Kernel: dx = 2 (x - mean) dy / divisor.
template <class T, int N>
void variance_grad(Cpu, T divisor, View<const T, N> x, View<const T, N> mean, View<const T, N> dy,
                   Into<T, N> dx) {
  const auto loop = broadcast_loop(dx.shape, dx.shape, dy.shape);
  const T factor = T(2) / divisor;
  with_step(loop.step(1), [&](auto step) {
    walk(loop, 2, [&](const Index(&at)[2], Index count) {
      T* const to = dx.data + at[0];
      const T* const from = x.data + at[0];
      const T* const center = mean.data + at[1];
      const T* const g = dy.data + at[1];
      const bool add = dx.add;
      const T scale = factor;
      EBB_SIMD
      for (Index j = 0; j < count; ++j) {
        const T d = scale * (from[j] - center[j * step()]) * g[j * step()];
        to[j] = add ? to[j] + d : d;
      }
    });
  });
}

/// Kernel: the position along `axis` of the largest element, the first of several equal ones, and
/// of the first nan where there is one.
template <class T, int N, int M>
void argmax_forward(Cpu, int axis, View<const T, N> x, View<int, M> y) {
  const Index n = x.extent(axis), inner = x.shape.stride(axis);
  parallel_ranges(y.size(), n, [&](Index begin, Index end) {
    Index outer = begin / inner, at = begin % inner;
    for (Index i = begin; i < end; ++i) {
      const T* const from = x.data + outer * n * inner + at;
      Index best = 0;
      for (Index k = 1; k < n; ++k) {
        const T v = from[k * inner], top = from[best * inner];
        if (v > top || (v != v && top == top)) best = k;
      }
      y.data[i] = static_cast<int>(best);
      if (++at == inner) {
        at = 0;
        ++outer;
      }
    }
  });
}

}  // namespace ebb
