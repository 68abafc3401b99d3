/// \file
/// Permutation of axes on the CPU: rows where the last axis stays last, else cache-sized tiles.
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/shape/permute/joined_axes.hpp>
#include <ebb/ops/shape/permute/reference.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

template <class T>
void put_row(T* to, const T* from, Index n, bool add) {
  if (add)
    for (Index i = 0; i < n; ++i) to[i] += from[i];
  else
    for (Index i = 0; i < n; ++i) to[i] = from[i];
}

/// Columns [first, first + count) of the operand become rows of the result: to[j, l] = from[l, j],
/// with the operand's j and the result's l contiguous. A tile passes through a buffer, so that
/// every cache line of either side is touched once, even where the strides are powers of two.
template <class T>
void transpose_strip(const T* from, Index from_stride, T* to, Index to_stride, Index columns,
                     Index length, bool add) {
  constexpr Index tile = 32;
  T buffer[tile * tile];
  for (Index l0 = 0; l0 < length; l0 += tile) {
    const Index rows = length - l0 < tile ? length - l0 : tile;
    for (Index l = 0; l < rows; ++l)
      for (Index j = 0; j < columns; ++j) buffer[j * tile + l] = from[(l0 + l) * from_stride + j];
    for (Index j = 0; j < columns; ++j)
      put_row(to + j * to_stride + l0, buffer + j * tile, rows, add);
  }
}

}  // namespace detail

/// Kernel: y[i0, i1, ...] = x at the sum of i_k stride_k.
template <class T, int N>
void permute_copy(Cpu, const PermuteGeometry<N>& g, View<const T, N> x, Into<T, N> y) {
  const Index size = y.size();
  if (size == 0) return;
  const detail::JoinedAxes<N> axes(g);
  const int last = axes.rank - 1;

  int contiguous = last;  // the axis of the result along which the operand is contiguous
  for (int k = 0; k < last; ++k)
    if (axes.from[k] == 1) contiguous = k;

  // Where outer index `i`, over the axes but the two above, lies on both sides.
  const auto place = [&](Index i, Index& from, Index& to) {
    from = to = 0;
    for (int k = last - 1; k >= 0; --k) {
      if (k == contiguous) continue;
      from += i % axes.extent[k] * axes.from[k];
      to += i % axes.extent[k] * axes.to[k];
      i /= axes.extent[k];
    }
  };

  if (contiguous == last) {
    const Index length = axes.extent[last], rows = size / length;
    const Index together = length < chunk ? chunk / length : 1;
    parallel_for(divide_up(rows, together), size, [&](Index task) {
      const Index end = (task + 1) * together < rows ? (task + 1) * together : rows;
      for (Index row = task * together; row < end; ++row) {
        Index from, to;
        place(row, from, to);
        detail::put_row(y.data + to, x.data + from, length, y.add);
      }
    });
    return;
  }
  constexpr Index strip = 32;
  const Index columns = axes.extent[contiguous], strips = divide_up(columns, strip);
  const Index length = axes.extent[last], outer = size / columns / length;
  parallel_for(outer * strips, 2 * size, [&](Index task) {
    Index from, to;
    place(task / strips, from, to);
    const Index first = task % strips * strip;
    detail::transpose_strip(x.data + from + first, axes.from[last],
                            y.data + to + first * axes.to[contiguous], axes.to[contiguous],
                            columns - first < strip ? columns - first : strip, length, y.add);
  });
}

}  // namespace ebb::kernel
