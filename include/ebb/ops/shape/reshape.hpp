/// \file
/// The same elements under other extents.
#pragma once

#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

/// Replaces an extent of -1 by what the others leave for it.
/// \throws ShapeError when that is no whole number, or when two extents are -1.
template <int N, int M>
Shape<M> fitted_shape(const Shape<N>& from, Shape<M> to) {
  int open = -1;
  Index known = 1;
  for (int axis = 0; axis < M; ++axis) {
    if (to[axis] == -1 && open >= 0)
      throw ShapeError(message("reshape: ", to, " leaves two extents open; at most one may be -1"));
    if (to[axis] < -1)
      throw ShapeError(message("reshape: extent ", to[axis], " on axis ", axis, " of ", to,
                               " is negative; only -1, for what the others leave, may be"));
    if (to[axis] == -1)
      open = axis;
    else if (to[axis] == 0 || known <= from.size())  // or it divides nothing, and may overflow
      known *= to[axis];
  }
  if (open < 0) return to;
  if (known <= 0 || from.size() % known != 0)
    throw ShapeError(message("reshape: ", from, " holds ", from.size(),
                             " elements, which the known extents of ", to, " do not divide"));
  to[open] = from.size() / known;
  return to;
}

}  // namespace detail

/// x of any shape -> the same elements, in the same memory, of shape `shape`, of which one extent
/// may be -1: as many as there are elements left.
/// \throws ShapeError when the number of elements differs.
template <Operand X, int M>
auto reshape(const X& x, const Shape<M>& shape) {
  const auto from = x.shape();
  return track(
      "reshape", value(x).reshape(detail::fitted_shape(from, shape)),
      [from, dx = sink(x)](const auto& dy) {
        if (dx) dx.give(dy.reshape(from));
      },
      x);
}

}  // namespace ebb
