/// \file
/// The kernels of softmax and log-softmax, on CUDA.
#pragma once

#include <ebb/kit/axis_lines.cuh>
#include <ebb/ops/normalisation/softmax/cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// What softmax and log-softmax make of their lines.
///
/// Forward, `line` is the largest x and the sum of e^(x - largest); backward, the sum of
/// `term(y, dy)`.
struct SoftmaxKind {
  template <class T>
  EBB_DEVICE T value(T x, T largest, T sum) const {
    return math::exp_or_zero(x - largest) * (T(1) / sum);
  }
  template <class T>
  EBB_DEVICE T term(T y, T dy) const {
    return y * dy;
  }
  template <class T>
  EBB_DEVICE T slope(T y, T dy, T total) const {
    return y * (dy - total);
  }
};
struct LogSoftmaxKind {
  template <class T>
  EBB_DEVICE T value(T x, T largest, T sum) const {
    return x - largest - math::log(sum);
  }
  template <class T>
  EBB_DEVICE T term(T, T dy) const {
    return dy;
  }
  template <class T>
  EBB_DEVICE T slope(T y, T dy, T total) const {
    return dy - math::exp_or_zero(y) * total;
  }
};

template <int G, int K, class I, class Kind, class T>
EBB_KERNEL line_forward_kernel(Kind kind, I lines, I n, gpu::Divisor<I> inner, const T* x, T* y) {
  const LinePlace<G, I> place(lines, n, inner);
  T v[K];
  load_line(place, x, Largest::neutral<T>(), v);
  const MaxSum<T> line = max_sum_of<G>(v, count_of(place));
  EBB_UNROLL
  for (int k = 0; k < K; ++k)
    if (place.has(k)) y[place.at(k)] = kind.value(v[k], line.largest, line.sum);
}

template <int G, int K, class I, class Kind, class T>
EBB_KERNEL line_grad_kernel(Kind kind, I lines, I n, gpu::Divisor<I> inner, const T* y, const T* dy,
                            T* dx, bool add) {
  const LinePlace<G, I> place(lines, n, inner);
  T v[K], up[K];
  load_line(place, y, T(0), v);
  load_line(place, dy, T(0), up);
  T sum[4] = {};
  EBB_UNROLL
  for (int k = 0; k < K; ++k) sum[k % 4] += kind.term(v[k], up[k]);
  const T total = join_group<G>(AddUp{}, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  EBB_UNROLL
  for (int k = 0; k < K; ++k)
    if (place.has(k)) {
      const T d = kind.slope(v[k], up[k], total);
      dx[place.at(k)] = add ? dx[place.at(k)] + d : d;
    }
}

template <class I, class Kind, class T>
EBB_KERNEL long_line_forward_kernel(Kind kind, I lines, I n, gpu::Divisor<I> inner, int wide,
                                    const T* x, T* y) {
  const LongLine<I, T> place(lines, n, inner, wide);
  const MaxSum<T> line = place.max_sum(x);
  if (!place.live) return;
  for (I k = place.lane; k < n; k += place.lanes) {
    const I at = place.first + k * place.apart;
    y[at] = kind.value(x[at], line.largest, line.sum);
  }
}

template <class I, class Kind, class T>
EBB_KERNEL long_line_grad_kernel(Kind kind, I lines, I n, gpu::Divisor<I> inner, int wide,
                                 const T* y, const T* dy, T* dx, bool add) {
  const LongLine<I, T> place(lines, n, inner, wide);
  T sum = T(0), other = T(0);
  if (place.live) {
    const auto term = [&](I k) {
      const I at = place.first + k * place.apart;
      return kind.term(y[at], dy[at]);
    };
    I k = place.lane;
    for (; k + place.lanes < n; k += 2 * place.lanes) {
      sum += term(k);
      other += term(k + place.lanes);
    }
    if (k < n) sum += term(k);
  }
  const T total = place.joined(AddUp{}, sum + other);
  if (!place.live) return;
  for (I k = place.lane; k < n; k += place.lanes) {
    const I at = place.first + k * place.apart;
    const T d = kind.slope(y[at], dy[at], total);
    dx[at] = add ? dx[at] + d : d;
  }
}

template <class Kind, class T, int N>
void lines_forward(const Kind& kind, int axis, View<const T, N> x, View<T, N> y) {
  const LinePlan plan(x.shape, axis);
  if (plan.size == 0) return;
  gpu::with_index(plan.size, [&]<class I>(I) {
    const auto lines = static_cast<I>(plan.lines), n = static_cast<I>(plan.n);
    const gpu::Divisor<I> inner(plan.inner);
    plan.choose(
        [&]<int G, int K>(std::integral_constant<int, G>, std::integral_constant<int, K>,
                          unsigned blocks) {
          gpu::launch(blocks, gpu::block_size, 0, line_forward_kernel<G, K, I, Kind, T>, kind,
                      lines, n, inner, x.data, y.data);
        },
        [&](int wide, unsigned blocks) {
          gpu::launch(blocks, gpu::block_size, 0, long_line_forward_kernel<I, Kind, T>, kind, lines,
                      n, inner, wide, x.data, y.data);
        });
  });
}

template <class Kind, class T, int N>
void lines_backward(const Kind& kind, int axis, View<const T, N> y, View<const T, N> dy,
                    Into<T, N> dx) {
  const LinePlan plan(y.shape, axis);
  if (plan.size == 0) return;
  gpu::with_index(plan.size, [&]<class I>(I) {
    const auto lines = static_cast<I>(plan.lines), n = static_cast<I>(plan.n);
    const gpu::Divisor<I> inner(plan.inner);
    plan.choose(
        [&]<int G, int K>(std::integral_constant<int, G>, std::integral_constant<int, K>,
                          unsigned blocks) {
          gpu::launch(blocks, gpu::block_size, 0, line_grad_kernel<G, K, I, Kind, T>, kind, lines,
                      n, inner, y.data, dy.data, dx.data, dx.add);
        },
        [&](int wide, unsigned blocks) {
          gpu::launch(blocks, gpu::block_size, 0, long_line_grad_kernel<I, Kind, T>, kind, lines, n,
                      inner, wide, y.data, dy.data, dx.data, dx.add);
        });
  });
}

}  // namespace detail

/// Kernel: y = e^(x - m) / sum e^(x - m) along the axis, m the largest x of its line.
template <class T, int N>
void softmax_forward(Cuda, int axis, View<const T, N> x, View<T, N> y) {
  detail::lines_forward(detail::SoftmaxKind{}, axis, x, y);
}

/// Kernel: dx = y (dy - sum y dy) along the axis.
template <class T, int N>
void softmax_backward(Cuda, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  detail::lines_backward(detail::SoftmaxKind{}, axis, y, dy, dx);
}

/// Kernel: y = x - m - log sum e^(x - m) along the axis.
template <class T, int N>
void log_softmax_forward(Cuda, int axis, View<const T, N> x, View<T, N> y) {
  detail::lines_forward(detail::LogSoftmaxKind{}, axis, x, y);
}

/// Kernel: dx = dy - e^y sum dy along the axis.
template <class T, int N>
void log_softmax_backward(Cuda, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  detail::lines_backward(detail::LogSoftmaxKind{}, axis, y, dy, dx);
}

}  // namespace ebb::kernel
