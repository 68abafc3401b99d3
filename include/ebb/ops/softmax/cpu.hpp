/// \file
/// The kernels of softmax and log-softmax. A tensor is seen as (outer, n, inner) around the axis of
/// the classes; a task takes a tile of neighbouring inner positions, so that memory is read in rows
/// wherever the axis lies.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu.hpp>
#include <ebb/ops/reduce/engine.hpp>

#include <cmath>

namespace ebb {

/// An axis of n elements with `outer` blocks before it and `inner` elements after it.
struct AxisLines {
  static constexpr Index tile = 64;

  Index outer = 1, n = 1, inner = 1;

  template <int N>
  AxisLines(const Shape<N>& shape, int axis) : n(shape[axis]), inner(shape.stride(axis)) {
    for (int before = 0; before < axis; ++before) outer *= shape[before];
  }

  /// Calls `body(first, line, count)` in parallel: `count` neighbouring lines, the first of which
  /// begins at element `first` of the tensor and has number `line` among all outer * inner. Where
  /// the axis is the last one `count` is 1, and the compiler knows it.
  template <class Body>
  void for_tiles(Index cost, Body&& body) const {
    const Index tiles = (inner + tile - 1) / tile, items = outer * tiles;
    const Index item_work = std::max<Index>(1, n * std::min(tile, inner));
    const Index per_task = std::max<Index>(1, chunk / 8 / item_work);
    parallel_for((items + per_task - 1) / per_task, outer * n * inner * cost, [&](Index task) {
      for (Index item = task * per_task; item < std::min((task + 1) * per_task, items); ++item) {
        const Index block = tiles == 1 ? item : item / tiles;
        const Index at = tiles == 1 ? 0 : item % tiles * tile;
        if (inner == 1)
          body(block * n, block, Step<1>{});
        else
          body(block * n * inner + at, block * inner + at, std::min(tile, inner - at));
      }
    });
  }
};

namespace detail {

/// The largest of each of `count` neighbouring lines of n elements with stride `inner`; nan where
/// there is one.
template <class T, class Count>
void largest_of_lines(const T* x, Index n, Index inner, Count count, T* largest) {
  for (Index j = 0; j < count; ++j) largest[j] = x[j];
  for (Index k = 1; k < n; ++k)
    for (Index j = 0; j < count; ++j) {
      const T v = x[k * inner + j];
      largest[j] = v > largest[j] || v != v ? v : largest[j];
    }
}

/// log sum e^x = m + log sum e^(x - m), which cannot overflow: m in `largest`, the other term in
/// `rest`.
template <class T, class Count>
void log_sum_exp(const T* x, Index n, Index inner, Count count, T* largest, T* rest) {
  using std::exp;
  using std::log;
  largest_of_lines(x, n, inner, count, largest);
  for (Index j = 0; j < count; ++j) rest[j] = T(0);
  for (Index k = 0; k < n; ++k)
    for (Index j = 0; j < count; ++j) rest[j] += exp(x[k * inner + j] - largest[j]);
  for (Index j = 0; j < count; ++j) rest[j] = log(rest[j]);
}

}  // namespace detail

/// Kernel: y = e^(x - m) / sum e^(x - m) along the axis, m the largest x of its line.
template <class T, int N>
void softmax_forward(Cpu, int axis, View<const T, N> x, View<T, N> y) {
  using std::exp;
  const AxisLines lines(x.shape, axis);
  if (y.size() == 0) return;
  lines.for_tiles(8, [&](Index first, Index, auto count) {
    T largest[AxisLines::tile], total[AxisLines::tile];
    const T* const from = x.data + first;
    T* const to = y.data + first;
    detail::largest_of_lines(from, lines.n, lines.inner, count, largest);
    for (Index j = 0; j < count; ++j) total[j] = T(0);
    for (Index k = 0; k < lines.n; ++k)
      for (Index j = 0; j < count; ++j) {
        const T e = exp(from[k * lines.inner + j] - largest[j]);
        to[k * lines.inner + j] = e;
        total[j] += e;
      }
    for (Index k = 0; k < lines.n; ++k)
      for (Index j = 0; j < count; ++j) to[k * lines.inner + j] /= total[j];
  });
}

/// Kernel: dx = y (dy - sum y dy) along the axis.
template <class T, int N>
void softmax_grad(Cpu, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  const AxisLines lines(y.shape, axis);
  if (dx.size() == 0) return;
  lines.for_tiles(2, [&](Index first, Index, auto count) {
    T total[AxisLines::tile];
    for (Index j = 0; j < count; ++j) total[j] = T(0);
    for (Index k = 0; k < lines.n; ++k) {
      const Index row = first + k * lines.inner;
      for (Index j = 0; j < count; ++j) total[j] += y.data[row + j] * dy.data[row + j];
    }
    for (Index k = 0; k < lines.n; ++k) {
      const Index row = first + k * lines.inner;
      for (Index j = 0; j < count; ++j)
        dx.put(row + j, y.data[row + j] * (dy.data[row + j] - total[j]));
    }
  });
}

/// Kernel: y = x - m - log sum e^(x - m) along the axis.
template <class T, int N>
void log_softmax_forward(Cpu, int axis, View<const T, N> x, View<T, N> y) {
  const AxisLines lines(x.shape, axis);
  if (y.size() == 0) return;
  lines.for_tiles(8, [&](Index first, Index, auto count) {
    T largest[AxisLines::tile], rest[AxisLines::tile];
    detail::log_sum_exp(x.data + first, lines.n, lines.inner, count, largest, rest);
    for (Index k = 0; k < lines.n; ++k) {
      const Index row = first + k * lines.inner;
      for (Index j = 0; j < count; ++j) y.data[row + j] = x.data[row + j] - largest[j] - rest[j];
    }
  });
}

/// Kernel: dx = dy - e^y sum dy along the axis.
template <class T, int N>
void log_softmax_grad(Cpu, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  using std::exp;
  const AxisLines lines(y.shape, axis);
  if (dx.size() == 0) return;
  lines.for_tiles(8, [&](Index first, Index, auto count) {
    T total[AxisLines::tile];
    for (Index j = 0; j < count; ++j) total[j] = T(0);
    for (Index k = 0; k < lines.n; ++k) {
      const Index row = first + k * lines.inner;
      for (Index j = 0; j < count; ++j) total[j] += dy.data[row + j];
    }
    for (Index k = 0; k < lines.n; ++k) {
      const Index row = first + k * lines.inner;
      for (Index j = 0; j < count; ++j)
        dx.put(row + j, dy.data[row + j] - exp(y.data[row + j]) * total[j]);
    }
  });
}

}  // namespace ebb
