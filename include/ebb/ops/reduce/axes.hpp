/// \file
/// Which axes a reduction folds, and the shape it leaves.
#pragma once

#include <ebb/kit/loop.hpp>

#include <concepts>

namespace ebb::inline EBB_ABI {

/// Several axes: `sum(x, Axes{0, 2, 3})`. Negative ones count from the end.
template <int K>
struct Axes {
  int axis[detail::array_size(K)];
};
template <class... Axis>
Axes(Axis...) -> Axes<static_cast<int>(sizeof...(Axis))>;

/// Asks a reduction to leave the folded axes in place with extent 1, so that its result broadcasts
/// against its input: `x - mean(x, 1, keep_axis)`.
struct KeepAxis {};
inline constexpr KeepAxis keep_axis;

namespace detail {

/// How many axes `int` and `Axes<K>` name.
template <class>
inline constexpr int axis_count = 0;
template <std::integral I>
inline constexpr int axis_count<I> = 1;
template <int K>
inline constexpr int axis_count<Axes<K>> = K;

}  // namespace detail

/// One axis, or several.
template <class A>
concept AxisList = detail::axis_count<A> >
0;

namespace detail {

/// The folded axes of a tensor of rank N, by name.
template <int N>
struct AxisSet {
  bool folded[array_size(N > 0 ? N : 1)]{};

  /// Every axis.
  static constexpr AxisSet all() {
    AxisSet set;
    for (bool& f : set.folded) f = true;
    return set;
  }

  /// \throws ShapeError when an axis is out of range, or named twice.
  template <AxisList A>
  static AxisSet of(const char* op, const A& axes) {
    AxisSet set;
    const auto add = [&](int axis) {
      bool& chosen = set.folded[normalize_axis(op, axis, N)];
      if (chosen) throw ShapeError(message(op, ": axis ", axis, " is given twice"));
      chosen = true;
    };
    if constexpr (std::integral<A>)
      add(static_cast<int>(axes));
    else
      for (int axis : axes.axis) add(axis);
    return set;
  }

  /// Elements folded into each result.
  constexpr Index count(const Shape<N>& shape) const {
    Index n = 1;
    for (int axis = 0; axis < N; ++axis)
      if (folded[axis]) n *= shape[axis];
    return n;
  }

  /// The shape with 1 on each folded axis.
  constexpr Shape<N> kept(Shape<N> shape) const {
    for (int axis = 0; axis < N; ++axis)
      if (folded[axis]) shape[axis] = 1;
    return shape;
  }

  /// The shape without the folded axes, of which there are N - M.
  template <int M>
  constexpr Shape<M> dropped(const Shape<N>& shape) const {
    Shape<M> left{};
    int to = 0;
    for (int axis = 0; axis < N; ++axis)
      if (!folded[axis] && to < M) left[to++] = shape[axis];
    return left;
  }
};

}  // namespace detail

}  // namespace ebb
