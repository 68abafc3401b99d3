/// \file
/// Binary cross entropy on logits, on CUDA.
#pragma once

#include <ebb/kit/fold_parts.cuh>
#include <ebb/ops/loss/bce_with_logits_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// The term of an element; arrays are x (with t) and p, which has no memory where it is 1.
template <class T>
struct BinaryTerms {
  const T *x, *t, *p;
  template <class I>
  EBB_DEVICE T operator()(I, const I (&at)[2], I) const {
    return BinaryTerm{}.value(x[at[0]], t[at[0]], p != nullptr ? p[at[1]] : T(1));
  }
};

template <Side side, class T>
struct BinarySlopes {
  T divisor;
  const T *x, *t, *p, *dy;
  Into<T, 1> dx;
  template <class I>
  EBB_DEVICE void operator()(I i, const I (&at)[1]) const {
    const T weight = p != nullptr ? p[at[0]] : T(1), factor = dy[0] / divisor;
    T slope;
    if constexpr (side == Side::a)
      slope = BinaryTerm{}.slope_logit(x[i], t[i], weight);
    else
      slope = BinaryTerm{}.slope_target(x[i], t[i], weight);
    dx.put(static_cast<Index>(i), factor * slope);
  }
};

}  // namespace detail

/// Kernel: y = sum of the terms / divisor; `p` is broadcast to the logits, and 1 where it has no
/// memory.
template <class T, int N>
void bce_forward(Cuda, T divisor, View<const T, N> x, View<const T, N> t, View<const T, N> p,
                 View<T, 0> y) {
  fold_on_gpu<T>(broadcast_loop(x.shape, Shape<0>{}, x.shape, p.shape), AddUp{},
                 detail::BinaryTerms<T>{x.data, t.data, p.data},
                 detail::StoreQuotient<T>{divisor, y.data});
}

/// Kernel: the gradient of the logits (Side::a) or of the target (Side::b).
template <Side side, class T, int N>
void bce_backward(Cuda, T divisor, View<const T, N> x, View<const T, N> t, View<const T, N> p,
                  View<const T, 0> dy, Into<T, N> dx) {
  detail::walk_on_gpu(
      broadcast_loop(dx.shape, dx.shape, p.shape),
      detail::BinarySlopes<side, T>{divisor, x.data, t.data, p.data, dy.data, flat(dx)});
}

}  // namespace ebb::kernel
