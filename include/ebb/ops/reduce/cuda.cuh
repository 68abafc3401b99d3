/// \file
/// The kernels of reductions, on CUDA.
#pragma once

#include <ebb/kit/fold_parts.cuh>
#include <ebb/kit/slab.hpp>
#include <ebb/ops/reduce/cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

template <class T>
struct SpreadBody {
  T factor;
  const T* dy;
  Into<T, 1> dx;
  template <class I>
  EBB_DEVICE void operator()(I i, const I (&at)[1]) const {
    dx.put(static_cast<Index>(i), factor * dy[at[0]]);
  }
};

/// 1 for each element that is the extremum of its result, and dy shared among them.
template <class T>
struct Ties {
  const T *x, *y;
  template <class I>
  EBB_DEVICE Index operator()(I result, const I (&at)[1], I) const {
    return is_extremum(x[at[0]], y[result]) ? 1 : 0;
  }
};
template <class T>
struct StoreShare {
  const T *y, *dy;
  T* share;
  template <class I>
  EBB_DEVICE void operator()(I result, Index ties) const {
    share[result] = extremum_share(y[result], dy[result], ties);
  }
};
template <class T>
struct ExtremumBody {
  const T *x, *y, *share;
  Into<T, 1> dx;
  template <class I>
  EBB_DEVICE void operator()(I i, const I (&at)[1]) const {
    dx.put(static_cast<Index>(i), is_extremum(x[i], y[at[0]]) ? share[at[0]] : T(0));
  }
};

template <class T>
struct SquaredDeviations {
  const T *x, *mean;
  template <class I>
  EBB_DEVICE T operator()(I result, const I (&at)[1], I) const {
    const T d = x[at[0]] - mean[result];
    return d * d;
  }
};
template <class T>
struct VarianceGradBody {
  T factor;
  const T *x, *mean, *dy;
  Into<T, 1> dx;
  template <class I>
  EBB_DEVICE void operator()(I i, const I (&at)[1]) const {
    dx.put(static_cast<Index>(i), factor * (x[i] - mean[at[0]]) * dy[at[0]]);
  }
};

/// An element and where it is on its axis.
template <class T>
struct Placed {
  T value;
  int place;
};
/// Picks the largest, the first of equals, and a nan before all others.
struct First {
  template <class A>
  EBB_HD static A neutral() {
    return A{Largest::neutral<decltype(A::value)>(), std::numeric_limits<int>::max()};
  }
  template <class A>
  EBB_HD A operator()(const A& a, const A& b) const {
    const bool nan_a = math::is_nan(a.value), nan_b = math::is_nan(b.value);
    const bool equal = nan_a == nan_b && (nan_a || a.value == b.value);
    if (equal) return b.place < a.place ? b : a;
    return nan_b || (!nan_a && b.value > a.value) ? b : a;
  }
};
template <class T>
struct PlacedElements {
  const T* x;
  template <class I>
  EBB_DEVICE Placed<T> operator()(I, const I (&at)[1], I f) const {
    return {x[at[0]], static_cast<int>(f)};
  }
};
struct StorePlace {
  int* y;
  template <class I, class A>
  EBB_DEVICE void operator()(I result, const A& best) const {
    y[result] = best.place;
  }
};

}  // namespace detail

/// Kernel: y = the fold of x, divided by `divisor` (1 for a sum, the count for a mean).
template <class Join, class T, int N>
void reduce(Cuda, const Join& join, T divisor, View<const T, N> x, View<T, N> y) {
  if (y.size() == 0) return;
  fold_on_gpu<T>(broadcast_loop(x.shape, y.shape, x.shape), join, detail::Elements<T>{x.data},
                 detail::StoreQuotient<T>{divisor, y.data});
}

/// Kernel: dx = factor * dy, repeated along the folded axes.
template <class T, int N>
void spread(Cuda, T factor, View<const T, N> dy, Into<T, N> dx) {
  detail::walk_on_gpu(broadcast_loop(dx.shape, dx.shape, dy.shape),
                      detail::SpreadBody<T>{factor, dy.data, flat(dx)});
}

/// Kernel: the gradient of `reduce` with Largest or Smallest, dy shared evenly among the elements
/// of x equal to y.
template <class T, int N>
void reduce_extremum_backward(Cuda, View<const T, N> x, View<const T, N> y, View<const T, N> dy,
                              Into<T, N> dx) {
  if (dx.size() == 0) return;
  const CudaScratch<T> share(dy.size());
  fold_on_gpu<Index>(broadcast_loop(x.shape, y.shape, x.shape), AddUp{},
                     detail::Ties<T>{x.data, y.data},
                     detail::StoreShare<T>{y.data, dy.data, share.data()});
  detail::walk_on_gpu(broadcast_loop(dx.shape, dx.shape, y.shape),
                      detail::ExtremumBody<T>{x.data, y.data, share.data(), flat(dx)});
}

/// Kernel: the mean and the variance, sum (x - mean)^2 / divisor, in two passes.
template <class T, int N>
void variance_forward(Cuda cuda, T count, T divisor, View<const T, N> x, View<T, N> mean,
                      View<T, N> y) {
  reduce(cuda, AddUp{}, count, x, mean);
  if (y.size() == 0) return;
  fold_on_gpu<T>(broadcast_loop(x.shape, y.shape, x.shape), AddUp{},
                 detail::SquaredDeviations<T>{x.data, mean.data},
                 detail::StoreQuotient<T>{divisor, y.data});
}

/// Kernel: dx = 2 (x - mean) dy / divisor.
template <class T, int N>
void variance_backward(Cuda, T divisor, View<const T, N> x, View<const T, N> mean,
                       View<const T, N> dy, Into<T, N> dx) {
  detail::walk_on_gpu(
      broadcast_loop(dx.shape, dx.shape, dy.shape),
      detail::VarianceGradBody<T>{T(2) / divisor, x.data, mean.data, dy.data, flat(dx)});
}

/// Kernel: the position along `axis` of the largest element, the first of several equal ones, and
/// of the first nan where there is one.
template <class T, int N, int M>
void argmax_forward(Cuda, int axis, View<const T, N> x, View<int, M> y) {
  Shape<N> kept = x.shape;
  kept[axis] = 1;
  if (kept.size() == 0) return;
  fold_on_gpu<detail::Placed<T>>(broadcast_loop(x.shape, kept, x.shape), detail::First{},
                                 detail::PlacedElements<T>{x.data}, detail::StorePlace{y.data});
}

}  // namespace ebb::kernel
