/// \file
/// Variances, over everything or over some axes.
#pragma once

#include <ebb/ops/reduce/reduce.hpp>

namespace ebb::inline EBB_ABI {

/// What a variance divides by: n - 1 (yes, Bessel's correction) or n (no).
enum class Unbiased { no, yes };

namespace detail {

struct Variance {
  static constexpr const char* name = "variance";
  Unbiased unbiased;

  template <class Tens>
  struct Saved {
    Tens x, mean;
    typename Tens::scalar divisor;
  };
  template <class Tens, class Set>
  Saved<Tens> forward(const Tens& x, const Set& set, const Tens& y) const {
    using T = typename Tens::scalar;
    static_assert(!std::is_integral_v<T>,
                  "ebb::variance: the variance of whole numbers is not a whole number; use a "
                  "tensor of float or double");
    const Index count = set.count(x.shape());
    if (unbiased == Unbiased::yes && count == 1 && y.size() > 0)
      throw ShapeError(message(name,
                               ": the unbiased variance divides by the number of elements less "
                               "one, and a tensor of shape ",
                               x.shape(),
                               " has one per result; pass "
                               "ebb::Unbiased::no to divide by the number itself"));
    const Index divisor = unbiased == Unbiased::yes && count > 0 ? count - 1 : count;
    Saved<Tens> saved{x, Tens(y.shape()), T(divisor)};
    variance_forward(typename Tens::device{}, T(count), saved.divisor, x.view(), saved.mean.mut(),
                     y.mut());
    return saved;
  }
  template <class Tens, class Set, class Dx>
  void pull(const Saved<Tens>& saved, const Set&, const Tens& dy, const Dx& dx) const {
    variance_backward(typename Tens::device{}, saved.divisor, saved.x.view(), saved.mean.view(),
                      dy.view(), dx);
  }
};

}  // namespace detail

/// The variance of all elements, a tensor of rank 0: sum (x - mean)^2 / (n - 1), or / n when
/// `Unbiased::no`. Computed in two passes, so that it holds where the mean is large.
/// dx = 2 (x - mean) dy / (n - 1). It is nan when there are no elements.
/// \throws ShapeError when there is one, and the divisor would be zero.
template <Operand X>
auto variance(const X& x, Unbiased unbiased = Unbiased::yes) {
  return detail::reduce_all(detail::Variance{unbiased}, x);
}
/// The variance over one axis or several, which disappear; nan of no elements.
/// \throws ShapeError when an axis is out of range or named twice, or a result would be of one
/// element, and its divisor zero.
template <Operand X, AxisList A>
auto variance(const X& x, const A& axes, Unbiased unbiased = Unbiased::yes) {
  return detail::reduce_axes(detail::Variance{unbiased}, x, axes);
}
/// The same; the axes stay, with extent 1.
template <Operand X, AxisList A>
auto variance(const X& x, const A& axes, KeepAxis keep, Unbiased unbiased = Unbiased::yes) {
  return detail::reduce_axes(detail::Variance{unbiased}, x, axes, keep);
}

}  // namespace ebb
