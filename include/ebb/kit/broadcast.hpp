/// \file
/// NumPy's broadcasting rules.
#pragma once

#include <ebb/kit/loop.hpp>

#include <string>

namespace ebb::inline EBB_ABI::kernel {

/// The shape two operands broadcast to: axes are matched from the last one, and an extent of 1, or
/// an axis that is not there, is repeated.
/// \throws ShapeError when two extents differ and neither is 1.
template <class Layer, int NA, int NB>
Shape<(NA > NB ? NA : NB)> broadcast_shape(const char* op, const Layer& layer, const Shape<NA>& a,
                                           const Shape<NB>& b) {
  constexpr int N = NA > NB ? NA : NB;
  Shape<N> shape{};
  for (int axis = 0; axis < N; ++axis) {
    const Index m = axis < N - NA ? 1 : a[axis - (N - NA)];
    const Index n = axis < N - NB ? 1 : b[axis - (N - NB)];
    if (m != n && m != 1 && n != 1)
      throw ShapeError(message(op, layer, ": shapes ", a, " and ", b, " do not broadcast: on axis ",
                               axis - N, " (counted from the end) one has ", m,
                               " elements and "
                               "the other ",
                               n, "; they must be equal, or one of them 1"));
    shape[axis] = m == 1 ? n : m;
  }
  return shape;
}

/// How far a step along `axis` of `whole` moves in an array of shape `part` that is broadcast to
/// it.
template <int M, int N>
constexpr Index broadcast_stride(const Shape<M>& part, const Shape<N>&, int axis) {
  const int own = axis - (N - M);
  return own < 0 || part[own] == 1 ? 0 : part.stride(own);
}

/// The loop over `whole` in which each of the given shapes is an array broadcast to it.
template <int N, class... Shapes>
constexpr auto broadcast_loop(const Shape<N>& whole, const Shapes&... parts) {
  Loop<loop_room<N>, sizeof...(Shapes)> loop;
  for (int axis = 0; axis < N; ++axis)
    loop.push(whole[axis], {broadcast_stride(parts, whole, axis)...});
  return loop;
}

}  // namespace ebb::kernel
