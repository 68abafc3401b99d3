/// \file
/// The kernels of binary cross entropy on logits.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/view.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/kit/broadcast.hpp>
#include <ebb/kit/fold.hpp>
#include <ebb/kit/slope.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::kernel {

/// The term of one element and its slopes, for `logit` x, `target` t and weight p of the positive
/// class: -p t log s(x) - (1 - t) log(1 - s(x)) with s the sigmoid. With log s(x) = -softplus(-x)
/// and log(1 - s(x)) = -softplus(x) that is (1 - t) softplus(x) + p t softplus(-x): it overflows
/// nowhere, and where it is tiny it keeps its digits, because nothing is subtracted.
struct BinaryTerm {
  static constexpr Index cost = 16;

  template <class T>
  EBB_HD T value(T x, T t, T p) const {
    return (T(1) - t) * softplus(x) + p * t * softplus(-x);
  }
  template <class T>
  EBB_HD T slope_logit(T x, T t, T p) const {
    using std::exp;
    const T tail = exp(x < T(0) ? x : -x), near = T(1) / (T(1) + tail), far = tail * near;
    return (T(1) - t) * (x < T(0) ? far : near) - p * t * (x < T(0) ? near : far);
  }
  template <class T>
  EBB_HD T slope_target(T x, T, T p) const {
    const T part = softplus(-x);
    // p part - softplus(x), whose second term vanishes for a logit of -infinity.
    return math::is_infinite(part) ? p * part : (p - T(1)) * part - x;
  }

 private:
  /// log(1 + e^x).
  template <class T>
  EBB_HD static T softplus(T x) {
    using std::exp;
    using std::log1p;
    return (x < T(0) ? T(0) : x) + log1p(exp(x < T(0) ? x : -x));
  }
};

namespace detail {

/// The terms added up, over the loop of their sum, x and p.
template <class T, int N>
T bce_sum(const Loop<N, 3>& loop, const T* x, const T* t, const T* p) {
  T sum = T(0);
  with_step(loop.step(2), [&](auto step) {
    fold_axes<T>(
        Step<0>{}, loop, BinaryTerm::cost, AddUp{},
        [&](const Index(&at)[3]) {
          return [x = x + at[1], t = t + at[1], p = p + at[2], step](Index j) {
            return BinaryTerm{}.value(x[j], t[j], p[j * step()]);
          };
        },
        [&](Index, T total) { sum = total; });
  });
  return sum;
}

/// `bce_backward` over the loop of x and p.
template <Side side, class T, int N>
void bce_grad_loop(T factor, const Loop<N, 2>& loop, const T* x, const T* t, const T* p,
                   Into<T, 1> dx) {
  with_step(loop.step(1), [&](auto step) {
    walk(loop, BinaryTerm::cost, [&](const Index(&at)[2], Index count) {
      for (Index j = 0; j < count; ++j) {
        const Index i = at[0] + j;
        const T weight = p[at[1] + j * step()];
        T slope;
        if constexpr (side == Side::a)
          slope = BinaryTerm{}.slope_logit(x[i], t[i], weight);
        else
          slope = BinaryTerm{}.slope_target(x[i], t[i], weight);
        dx.put(i, factor * slope);
      }
    });
  });
}

}  // namespace detail

/// Kernel: y = sum of the terms / divisor; `p` is broadcast to the logits, and 1 where it has no
/// memory.
template <class T, int N>
void bce_forward(Cpu, T divisor, View<const T, N> x, View<const T, N> t, View<const T, N> p,
                 View<T, 0> y) {
  const T one = T(1);
  const auto loop = broadcast_loop(x.shape, Shape<0>{}, x.shape, p.shape);
  y.data[0] = detail::bce_sum(loop, x.data, t.data, p.data != nullptr ? p.data : &one) / divisor;
}

/// Kernel: the gradient of the logits (Side::a) or of the target (Side::b).
template <Side side, class T, int N>
void bce_backward(Cpu, T divisor, View<const T, N> x, View<const T, N> t, View<const T, N> p,
                  View<const T, 0> dy, Into<T, N> dx) {
  const T one = T(1);
  const T factor = dy.data[0] / divisor;
  detail::bce_grad_loop<side>(factor, broadcast_loop(x.shape, x.shape, p.shape), x.data, t.data,
                              p.data != nullptr ? p.data : &one,
                              Into<T, 1>{dx.data, Shape<1>{dx.size()}, dx.add});
}

}  // namespace ebb::kernel
