/// \file
/// Padding on CUDA: forward, threads follow the result; backward they follow the operand, and
/// each gathers what the few elements that showed its own have received, in their order, so that
/// nothing is added to by two threads.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/ops/shape/pad/geometry.hpp>

#include <type_traits>
#include <utility>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// The axes of a padding with neighbours joined where neither has a margin, in front of them axes
/// of extent 1.
template <int N>
PadGeometry<N> joined(const PadGeometry<N>& g) {
  PadGeometry<N> result;
  result.mode = g.mode;
  int at = N;
  bool plain = false;  // whether the axis at `at` has no margin
  for (int k = N - 1; k >= 0; --k) {
    const bool same = g.from[k] == g.to[k];
    if (same && plain) {
      result.from[at] *= g.from[k];
      result.to[at] *= g.to[k];
    } else {
      result.from[--at] = g.from[k];
      result.to[at] = g.to[k];
      result.before[at] = g.before[k];
    }
    plain = same;
  }
  while (at-- > 0) result.from[at] = result.to[at] = 1;
  return result;
}

/// A padding as kernels see it; I is unsigned or Index, and positions, which may be negative, are
/// of the signed type S.
template <int N, class I>
struct PadAxes {
  using S = std::conditional_t<std::is_same_v<I, unsigned>, int, Index>;

  gpu::Divisor<I> to[N], from[N];
  S extent[N];  ///< of the operand, which may be empty
  S before[N];
  PadMode mode;

  explicit PadAxes(const PadGeometry<N>& g) : PadAxes(g, std::make_index_sequence<N>()) {}

  /// The element of the operand that element i of the result shows; -1: none.
  EBB_DEVICE S source(I i) const {
    S at = 0, step = 1;
    bool inside = true;
    EBB_UNROLL
    for (int k = N - 1; k >= 0; --k) {
      const I rest = to[k].quotient(i);
      const S last = extent[k] - 1;
      S s = static_cast<S>(i - rest * to[k].by) - before[k];
      if (s < 0 || s > last) {
        inside = inside && mode != PadMode::constant;
        if (mode == PadMode::reflect)
          s = s < 0 ? -s : last - (s - last);
        else
          s = s < 0 ? 0 : last;
      }
      at += s * step;
      step *= extent[k];
      i = rest;
    }
    return inside ? at : S(-1);
  }

  /// The sum of dy over the results that show element i of the operand.
  template <class T>
  EBB_DEVICE T shown(I i, const T* dy) const {
    S at[N];
    EBB_UNROLL
    for (int k = N - 1; k >= 0; --k) {
      const I rest = from[k].quotient(i);
      at[k] = static_cast<S>(i - rest * from[k].by);
      i = rest;
    }
    return shown_along<0>(at, S(0), dy);
  }

 private:
  template <std::size_t... k>
  PadAxes(const PadGeometry<N>& g, std::index_sequence<k...>)
      : to{gpu::Divisor<I>(g.to[k] > 0 ? g.to[k] : 1)...},
        from{gpu::Divisor<I>(g.from[k] > 0 ? g.from[k] : 1)...},
        extent{static_cast<S>(g.from[k])...},
        before{static_cast<S>(g.before[k])...},
        mode(g.mode) {}

  /// Of the results whose row, along the axes before axis K, is `row`. Along the axis they are a
  /// stretch, of one element mostly; or, where mirrored, up to three: mirrored at the first
  /// element, itself, mirrored at the last one.
  template <int K, class T>
  EBB_DEVICE T shown_along(const S (&at)[N], S row, const T* dy) const {
    if constexpr (K == N) {
      return dy[row];
    } else {
      const S last = extent[K] - 1, out = static_cast<S>(to[K].by), self = before[K] + at[K];
      const S left = before[K] - at[K], right = before[K] + last + (last - at[K]);
      S begin = self, end = self + 1;
      const bool mirrored = mode == PadMode::reflect;
      if (mirrored) {
        begin = left >= 0 && left < before[K] ? 0 : 1;
        end = right > before[K] + last && right < out ? 3 : 2;
      } else if (mode == PadMode::replicate) {
        if (at[K] == 0) begin = 0;
        if (at[K] == last) end = out;
      }
      T sum(0);
      EBB_UNROLL_BY(1)
      for (S o = begin; o < end; ++o) {
        const S place = !mirrored ? o : o == 0 ? left : o == 1 ? self : right;
        sum += shown_along<K + 1>(at, row * out + place, dy);
      }
      return sum;
    }
  }
};

template <int N, class I, class T>
EBB_KERNEL pad_kernel(I n, PadAxes<N, I> axes, T margin, const T* x, T* y) {
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    const auto from = axes.source(i);
    y[i] = from < 0 ? margin : x[from];
  }
}

template <int N, class I, class T>
EBB_KERNEL pad_grad_kernel(I n, PadAxes<N, I> axes, const T* dy, T* dx, bool add) {
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    const T sum = axes.shown(i, dy);
    dx[i] = add ? dx[i] + sum : sum;
  }
}

/// Calls f(axes, zero) with the axes joined, in as few as do: an image with margins has three.
template <int N, class F>
void with_pad_axes(const PadGeometry<N>& g, Index n, F&& f) {
  const PadGeometry<N> all = joined(g);
  gpu::with_index(n, [&]<class I>(I zero) {
    if constexpr (N > 3) {
      bool three = true;
      for (int k = 0; k < N - 3; ++k) three = three && all.to[k] == 1 && all.from[k] == 1;
      if (three) {
        PadGeometry<3> few;
        few.mode = all.mode;
        for (int k = 0; k < 3; ++k) {
          few.from[k] = all.from[N - 3 + k];
          few.to[k] = all.to[N - 3 + k];
          few.before[k] = all.before[N - 3 + k];
        }
        return f(PadAxes<3, I>(few), zero);
      }
    }
    f(PadAxes<N, I>(all), zero);
  });
}

}  // namespace detail

/// Kernel: x amid its margins.
template <class T, int N>
void pad_forward(Cuda, const PadGeometry<N>& g, T margin, View<const T, N> x, View<T, N> y) {
  const Index n = y.size();
  if (n == 0) return;
  detail::with_pad_axes(g, n, [&]<int M, class I>(const detail::PadAxes<M, I>& axes, I) {
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::pad_kernel<M, I, T>,
                static_cast<I>(n), axes, margin, x.data, y.data);
  });
}

/// Kernel: dx is the sum of dy over the elements that showed it, in their order.
template <class T, int N>
void pad_backward(Cuda, const PadGeometry<N>& g, View<const T, N> dy, Into<T, N> dx) {
  const Index n = dx.size();
  if (n == 0) return;
  detail::with_pad_axes(g, dy.size(), [&]<int M, class I>(const detail::PadAxes<M, I>& axes, I) {
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::pad_grad_kernel<M, I, T>,
                static_cast<I>(n), axes, dy.data, dx.data, dx.add);
  });
}

}  // namespace ebb::kernel
