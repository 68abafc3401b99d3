/// \file
/// Means, over everything or over some axes.
#pragma once

#include <ebb/ops/reduce/reduce.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

struct Mean {
  static constexpr const char* name = "mean";

  /// Returns the number of elements per result.
  template <class Tens, class Set>
  Index forward(const Tens& x, const Set& set, const Tens& y) const {
    using T = typename Tens::scalar;
    static_assert(!std::is_integral_v<T>,
                  "ebb::mean: the mean of whole numbers is not a whole number; use a tensor of "
                  "float or double");
    const Index count = set.count(x.shape());
    reduce(typename Tens::device{}, kernel::AddUp{}, T(count), x.view(), y.mut());
    return count;
  }
  template <class Tens, class Set, class Dx>
  void pull(Index count, const Set&, const Tens& dy, const Dx& dx) const {
    using T = typename Tens::scalar;
    spread(typename Tens::device{}, T(1) / T(count), dy.view(), dx);
  }
};

}  // namespace detail

/// The mean of all elements, a tensor of rank 0; nan when there are none.
template <Operand X>
auto mean(const X& x) {
  return detail::reduce_all(detail::Mean{}, x);
}
/// The mean over one axis or several (`mean(x, -1)`, `mean(x, Axes{2, 3})`), which disappear;
/// nan of no elements.
/// \throws ShapeError when an axis is out of range or named twice.
template <Operand X, AxisList A>
auto mean(const X& x, const A& axes) {
  return detail::reduce_axes(detail::Mean{}, x, axes);
}
/// The same; the axes stay, with extent 1.
template <Operand X, AxisList A>
auto mean(const X& x, const A& axes, KeepAxis keep) {
  return detail::reduce_axes(detail::Mean{}, x, axes, keep);
}

}  // namespace ebb
