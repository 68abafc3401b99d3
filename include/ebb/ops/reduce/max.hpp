/// \file
/// The largest and the smallest element, over everything or over some axes.
#pragma once

#include <ebb/ops/reduce/reduce.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

template <class Join>
struct Extremum {
  static constexpr const char* name = std::is_same_v<Join, kernel::Largest> ? "max" : "min";

  template <class Tens>
  struct Saved {
    Tens x, y;
  };
  template <class Tens, class Set>
  Saved<Tens> forward(const Tens& x, const Set& set, const Tens& y) const {
    using T = typename Tens::scalar;
    static_assert(!std::is_integral_v<T>,
                  "ebb::max and min: use a tensor of float or double; whole numbers have no "
                  "infinity to start from");
    require_elements(name, x.shape(), set);
    reduce(typename Tens::device{}, Join{}, T(1), x.view(), y.mut());
    return {x, y};
  }
  template <class Tens, class Set, class Dx>
  void pull(const Saved<Tens>& saved, const Set&, const Tens& dy, const Dx& dx) const {
    reduce_extremum_backward(typename Tens::device{}, saved.x.view(), saved.y.view(), dy.view(),
                             dx);
  }
};

}  // namespace detail

/// The largest of all elements, a tensor of rank 0; nan where there is one. Where several elements
/// are the largest, they share the gradient evenly, here and over axes; where the largest is nan,
/// so is the gradient of all that it was taken of: PyTorch's `amax`. (For the larger of two tensors
/// see `maximum`.) \throws ShapeError when there are no elements.
template <Operand X>
auto max(const X& x) {
  return detail::reduce_all(detail::Extremum<kernel::Largest>{}, x);
}
/// The largest element over one axis or several, which disappear.
/// \throws ShapeError when an axis is out of range or named twice, or there are no elements.
template <Operand X, AxisList A>
auto max(const X& x, const A& axes) {
  return detail::reduce_axes(detail::Extremum<kernel::Largest>{}, x, axes);
}
/// The same; the axes stay, with extent 1.
template <Operand X, AxisList A>
auto max(const X& x, const A& axes, KeepAxis keep) {
  return detail::reduce_axes(detail::Extremum<kernel::Largest>{}, x, axes, keep);
}

/// The smallest of all elements, a tensor of rank 0; ties share the gradient as those of `max` do.
/// \throws ShapeError when there are no elements.
template <Operand X>
auto min(const X& x) {
  return detail::reduce_all(detail::Extremum<kernel::Smallest>{}, x);
}
/// The smallest element over one axis or several, which disappear.
/// \throws ShapeError when an axis is out of range or named twice, or there are no elements.
template <Operand X, AxisList A>
auto min(const X& x, const A& axes) {
  return detail::reduce_axes(detail::Extremum<kernel::Smallest>{}, x, axes);
}
/// The same; the axes stay, with extent 1.
template <Operand X, AxisList A>
auto min(const X& x, const A& axes, KeepAxis keep) {
  return detail::reduce_axes(detail::Extremum<kernel::Smallest>{}, x, axes, keep);
}

}  // namespace ebb
