/// \file
/// The kernels of reductions. A reduced array is seen with extent 1 on each folded axis, so it
/// broadcasts against the whole one.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/kit/broadcast.hpp>
#include <ebb/kit/fold.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// `reduce` over the loop of y and x.
template <class Join, class T, int N>
void reduce_loop(const Join& join, T divisor, const Loop<N, 2>& loop, const T* x, T* y) {
  const bool divides = divisor != T(1);
  fold_axes<T>(
      loop, 1, join,
      [&](const Index(&at)[2]) { return [from = x + at[1]](Index j) { return from[j]; }; },
      [&](Index at, T total) { y[at] = divides ? total / divisor : total; });
}

/// `spread` over the loop of dx and dy.
template <class T, int N>
void spread_loop(T factor, const Loop<N, 2>& loop, const T* dy, T* dx, bool add) {
  with_step(loop.step(1), [&](auto step) {
    walk(loop, 1, [&](const Index(&at)[2], Index count) {
      T* const to = dx + at[0];
      const T* const from = dy + at[1];
      const T scale = factor;
      if (add) {
        EBB_SIMD
        for (Index j = 0; j < count; ++j) to[j] += scale * from[j * step()];
      } else {
        EBB_SIMD
        for (Index j = 0; j < count; ++j) to[j] = scale * from[j * step()];
      }
    });
  });
}

}  // namespace detail

/// Kernel: y = the fold of x, divided by `divisor` (1 for a sum, the count for a mean).
template <class Join, class T, int N>
void reduce(Cpu, const Join& join, T divisor, View<const T, N> x, View<T, N> y) {
  if (y.size() == 0) return;
  detail::reduce_loop(join, divisor, broadcast_loop(x.shape, y.shape, x.shape), x.data, y.data);
}

/// Kernel: dx = factor * dy, repeated along the folded axes.
template <class T, int N>
void spread(Cpu, T factor, View<const T, N> dy, Into<T, N> dx) {
  detail::spread_loop(factor, broadcast_loop(dx.shape, dx.shape, dy.shape), dy.data, dx.data,
                      dx.add);
}

/// Whether an element takes part in the gradient of the extremum y of its axis: those equal to it,
/// and all where it is nan.
template <class T>
EBB_HD bool is_extremum(T x, T y) {
  return (x == y) | math::is_nan(y);
}
/// What each of them receives: an even share, nan where the extremum is.
template <class T>
EBB_HD T extremum_share(T y, T dy, Index ties) {
  return math::is_nan(y) ? y : dy / T(ties);
}

namespace detail {

/// `reduce_extremum_backward` over the loop of y and x.
template <class T, int N>
void extremum_grad_loop(const Loop<N, 2>& loop, const T* x, const T* y, const T* dy, T* share,
                        T* dx, bool add) {
  with_step(loop.step(0), [&](auto step) {
    fold_axes<Index>(
        step, loop, 1, AddUp{},
        [&](const Index(&at)[2]) {
          return [from = x + at[1], extremum = y + at[0], step](Index j) {
            return Index{is_extremum(from[j], extremum[j * step()])};
          };
        },
        [&](Index at, Index ties) { share[at] = extremum_share(y[at], dy[at], ties); });
    walk(loop, 1, [&](const Index(&at)[2], Index count) {
      T* const to = dx + at[1];
      const T* const from = x + at[1];
      const T* const extremum = y + at[0];
      const T* const part = share + at[0];
      const bool adds = add;
      EBB_SIMD
      for (Index j = 0; j < count; ++j) {
        const T g =
            math::select(is_extremum(from[j], extremum[j * step()]), part[j * step()], T(0));
        to[j] = adds ? to[j] + g : g;
      }
    });
  });
}

/// The sum of squares that `variance_forward` wants, over the loop of y and x.
template <class T, int N>
void variance_loop(T divisor, const Loop<N, 2>& loop, const T* x, const T* mean, T* y) {
  with_step(loop.step(0), [&](auto step) {
    fold_axes<T>(
        step, loop, 2, AddUp{},
        [&](const Index(&at)[2]) {
          return [from = x + at[1], center = mean + at[0], step](Index j) {
            const T d = from[j] - center[j * step()];
            return d * d;
          };
        },
        [&](Index at, T total) { y[at] = total / divisor; });
  });
}

/// `variance_backward` over the loop of dx and dy.
template <class T, int N>
void variance_grad_loop(T factor, const Loop<N, 2>& loop, const T* x, const T* mean, const T* dy,
                        T* dx, bool add) {
  with_step(loop.step(1), [&](auto step) {
    walk(loop, 2, [&](const Index(&at)[2], Index count) {
      T* const to = dx + at[0];
      const T* const from = x + at[0];
      const T* const center = mean + at[1];
      const T* const g = dy + at[1];
      const bool adds = add;
      const T scale = factor;
      EBB_SIMD
      for (Index j = 0; j < count; ++j) {
        const T d = scale * (from[j] - center[j * step()]) * g[j * step()];
        to[j] = adds ? to[j] + d : d;
      }
    });
  });
}

}  // namespace detail

/// Kernel: the gradient of `reduce` with Largest or Smallest, dy shared evenly among the elements
/// of x equal to y (a subgradient; PyTorch's `amax` and `amin` share alike), nan for all where y
/// is.
template <class T, int N>
void reduce_extremum_backward(Cpu, View<const T, N> x, View<const T, N> y, View<const T, N> dy,
                              Into<T, N> dx) {
  if (dx.size() == 0) return;
  const Scratch<T> share(dy.size());
  detail::extremum_grad_loop(broadcast_loop(x.shape, y.shape, x.shape), x.data, y.data, dy.data,
                             share.data(), dx.data, dx.add);
}

/// Kernel: the mean and the variance, sum (x - mean)^2 / divisor, in two passes.
template <class T, int N>
void variance_forward(Cpu cpu, T count, T divisor, View<const T, N> x, View<T, N> mean,
                      View<T, N> y) {
  reduce(cpu, AddUp{}, count, x, mean);
  if (y.size() == 0) return;
  detail::variance_loop(divisor, broadcast_loop(x.shape, y.shape, x.shape), x.data,
                        static_cast<const T*>(mean.data), y.data);
}

/// Kernel: dx = 2 (x - mean) dy / divisor.
template <class T, int N>
void variance_backward(Cpu, T divisor, View<const T, N> x, View<const T, N> mean,
                       View<const T, N> dy, Into<T, N> dx) {
  detail::variance_grad_loop(T(2) / divisor, broadcast_loop(dx.shape, dx.shape, dy.shape), x.data,
                             mean.data, dy.data, dx.data, dx.add);
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
        if (v > top || (math::is_nan(v) && !math::is_nan(top))) best = k;
      }
      y.data[i] = static_cast<int>(best);
      if (++at == inner) {
        at = 0;
        ++outer;
      }
    }
  });
}

#define EBB_REDUCE(T)                                                                              \
  EBB_COMPILED(                                                                                    \
      void detail::reduce_loop<AddUp, T, 4>(const AddUp&, T, const Loop<4, 2>&, const T*, T*))     \
  EBB_COMPILED(                                                                                    \
      void detail::reduce_loop<Largest, T, 4>(const Largest&, T, const Loop<4, 2>&, const T*, T*)) \
  EBB_COMPILED(void detail::spread_loop<T, 4>(T, const Loop<4, 2>&, const T*, T*, bool))           \
  EBB_COMPILED(void detail::extremum_grad_loop<T, 4>(const Loop<4, 2>&, const T*, const T*,        \
                                                     const T*, T*, T*, bool))                      \
  EBB_COMPILED(void detail::variance_loop<T, 4>(T, const Loop<4, 2>&, const T*, const T*, T*))     \
  EBB_COMPILED(void detail::variance_grad_loop<T, 4>(T, const Loop<4, 2>&, const T*, const T*,     \
                                                     const T*, T*, bool))
EBB_REDUCE(float)
EBB_REDUCE(double)
#undef EBB_REDUCE

}  // namespace ebb::kernel
