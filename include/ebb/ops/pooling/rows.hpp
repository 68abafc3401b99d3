/// \file
/// How pooling on the CPU walks over planes and rows of windows. Forward: a row of windows at a
/// time, tap by tap, so that the inner loop runs along the row. Backward: a plane is one task,
/// which adds to its elements in the order of the windows, so that the result is the same for any
/// number of threads.
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/counting.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Calls row(plane, oy) for every row of every result plane; rows of one task are neighbours.
template <class Row>
void each_pooled_row(Index planes, Index rows, Index row_work, Row&& row) {
  const Index together = chunk / (row_work > 0 ? row_work : 1) + 1, all = planes * rows;
  vector_for(divide_up(all, together), all * row_work, [&](Index task) {
    const Index begin = task * together, end = begin + together < all ? begin + together : all;
    Index plane = begin / rows, oy = begin % rows;
    for (Index r = begin; r < end; ++r) {
      row(plane, oy);
      if (++oy == rows) oy = 0, ++plane;
    }
  });
}

/// Calls f(plane) for every plane; planes of one task are neighbours.
template <class F>
void each_pooled_plane(Index planes, Index plane_work, F&& f) {
  each_pooled_row(planes, 1, plane_work, [&](Index plane, Index) { f(plane); });
}

/// Calls f with the stride as a constant where it is a usual one, so that loops vectorise.
template <class F>
void with_stride(Index stride, F&& f) {
  if (stride == 1)
    f(std::integral_constant<Index, 1>{});
  else if (stride == 2)
    f(std::integral_constant<Index, 2>{});
  else
    f(stride);
}

template <class T>
void zero_plane(T* plane, Index size) {
  EBB_SIMD
  for (Index i = 0; i < size; ++i) plane[i] = T(0);
}

}  // namespace ebb::kernel::detail
