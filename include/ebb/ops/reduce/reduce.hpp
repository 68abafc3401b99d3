/// \file
/// What sums, means, extrema and variances have in common.
#pragma once

#include <ebb/ops/reduce/axes.hpp>
#include <ebb/ops/reduce/cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI::detail {

/// Runs a reduction `op(x, axes)`, which leaves extent 1 on each folded axis, and gives the result
/// its final shape: rank 0, rank N less the folded axes, or as it is.
///
/// `op.forward(x, set, y)` fills y and returns what the pullback needs; `op.pull(kept, set, dy,
/// dx)` is the pullback, dy having extent 1 on each folded axis.
template <int M, class Op, Operand X>
auto reduce_to(const Op& op, const X& x, const AxisSet<rank_of<X>>& set, const Shape<M>& shape) {
  using Tens = tensor_of<X>;
  const Shape<Tens::rank> kept = set.kept(x.shape());
  Tens y(kept);
  auto saved = op.forward(value(x), set, y);
  return track(
      Op::name, y.reshape(shape),
      [op, saved, set, kept, dx = sink(x)](const auto& dy) {
        if (dx) op.pull(saved, set, dy.reshape(kept), dx.into());
      },
      x);
}

template <class Op, Operand X>
auto reduce_all(const Op& op, const X& x) {
  return reduce_to<0>(op, x, AxisSet<rank_of<X>>::all(), Shape<0>{});
}

template <class X, class A>
constexpr void check_axis_list() {
  static_assert(rank_of<X> > 0, "ebb: a tensor of rank 0 has no axes to reduce over");
  static_assert(axis_count<A> <= rank_of<X>, "ebb: more axes are given than the tensor has");
}

template <class Op, Operand X, AxisList A>
auto reduce_axes(const Op& op, const X& x, const A& axes) {
  check_axis_list<X, A>();
  constexpr int M = rank_of < X >> axis_count<A> ? rank_of<X> - axis_count<A> : 0;
  const auto set = AxisSet<rank_of<X>>::of(Op::name, axes);
  return reduce_to<M>(op, x, set, set.template dropped<M>(x.shape()));
}

template <class Op, Operand X, AxisList A>
auto reduce_axes(const Op& op, const X& x, const A& axes, KeepAxis) {
  check_axis_list<X, A>();
  const auto set = AxisSet<rank_of<X>>::of(Op::name, axes);
  return reduce_to<rank_of<X>>(op, x, set, set.kept(x.shape()));
}

/// \throws ShapeError when results are wanted of no elements at all.
template <int N>
void require_elements(const char* op, const Shape<N>& shape, const AxisSet<N>& set) {
  if (set.count(shape) == 0 && set.kept(shape).size() > 0)
    throw ShapeError(message(op, ": a tensor of shape ", shape, " has no elements to reduce, and ",
                             "the ", op, " of none is not defined"));
}

}  // namespace ebb::detail
