/// \file
/// Sums, over everything or over some axes.
#pragma once

#include <ebb/ops/reduce/reduce.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

struct Sum {
  static constexpr const char* name = "sum";
  struct Nothing {};

  template <class Tens, class Set>
  Nothing forward(const Tens& x, const Set&, const Tens& y) const {
    reduce(typename Tens::device{}, kernel::AddUp{}, typename Tens::scalar(1), x.view(), y.mut());
    return {};
  }
  template <class Tens, class Set, class Dx>
  void pull(Nothing, const Set&, const Tens& dy, const Dx& dx) const {
    spread(typename Tens::device{}, typename Tens::scalar(1), dy.view(), dx);
  }
};

}  // namespace detail

/// The sum of all elements, a tensor of rank 0 (0 for an empty one). Sums are pairwise: the error
/// grows with the logarithm of their length.
template <Operand X>
auto sum(const X& x) {
  return detail::reduce_all(detail::Sum{}, x);
}
/// The sum over one axis or several (`sum(x, -1)`, `sum(x, Axes{0, 2, 3})`), which disappear.
/// \throws ShapeError when an axis is out of range or named twice.
template <Operand X, AxisList A>
auto sum(const X& x, const A& axes) {
  return detail::reduce_axes(detail::Sum{}, x, axes);
}
/// The same; the axes stay, with extent 1.
template <Operand X, AxisList A>
auto sum(const X& x, const A& axes, KeepAxis keep) {
  return detail::reduce_axes(detail::Sum{}, x, axes, keep);
}

}  // namespace ebb
