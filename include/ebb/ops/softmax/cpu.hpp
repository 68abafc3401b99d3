/// \file
/// The kernels of softmax and log-softmax. A tensor is seen as (outer, n, inner) around the axis of
/// the classes; a task takes a tile of neighbouring inner positions, so that memory is read in rows
/// wherever the axis lies.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu.hpp>
#include <ebb/device/math.hpp>
#include <ebb/ops/reduce/cpu.hpp>

namespace ebb {

namespace detail {

/// x = e^x for n numbers: one copy in a program, instead of one in every kernel.
template <class T>
[[gnu::noinline]] void exp_all(T* x, Index n) {
  vector_for(1, 0, [x, n](Index) {
    EBB_SIMD
    for (Index i = 0; i < n; ++i) x[i] = math::exp(x[i]);
  });
}

}  // namespace detail

/// Neighbouring lines of one task: `count` lines of n elements, number `line` and following among
/// all. Either the axis is the last one, and a line is a row, or lines lie side by side.
template <bool are_rows>
struct LineTile {
  static constexpr bool rows = are_rows;
  Index line, count, n, inner, first;

  /// Where element k of line j lies.
  Index at(Index k, Index j) const { return rows ? first + j * n + k : first + k * inner + j; }

  /// Rows shorter than this are not worth vectors of their own.
  bool short_rows() const { return rows && n < 64; }

  /// Calls f(at, j) for every element of every line j, along the memory.
  template <class F>
  void each(const F& f) const {
    if constexpr (rows) {
      for (Index j = 0; j < count; ++j) {
        const Index row = first + j * n;
        if (n < 16) {
          for (Index k = 0; k < n; ++k) f(row + k, j);
        } else {
          EBB_SIMD
          for (Index k = 0; k < n; ++k) f(row + k, j);
        }
      }
    } else {
      for (Index k = 0; k < n; ++k) {
        const Index row = first + k * inner;
        EBB_SIMD
        for (Index j = 0; j < count; ++j) f(row + j, j);
      }
    }
  }

  /// total[j] = the elements value(at, j) of line j, joined.
  template <class T, class Join, class F>
  void fold(const Join& join, const F& value, T* total) const {
    if (rows && !short_rows()) {
      for (Index j = 0; j < count; ++j)
        total[j] = detail::fold<T>(
            join, [this, &value, j](Index k) { return value(at(k, j), j); }, 0, n);
    } else {
      for (Index j = 0; j < count; ++j) total[j] = Join::template neutral<T>();
      for (Index k = 0; k < n; ++k) {
        EBB_SIMD
        for (Index j = 0; j < count; ++j) total[j] = join(total[j], value(at(k, j), j));
      }
    }
  }

  /// Exponentials of all elements: calls run(at, j, e, width) for stretches of `width` neighbours,
  /// the first of which is element `at`, of line j; e holds e^argument(at, j) of each. They pass
  /// through a buffer: short rows together, or vectors would go half empty; long lines in pieces.
  template <class T, class Argument, class Run>
  void exponentials(const Argument& argument, const Run& run) const {
    constexpr Index room = 64 * 64;
    T e[room];
    const Index length = rows ? n : count, lines = rows ? count : n;  // of what is contiguous
    const Index stride = rows ? n : inner;
    const Index together = short_rows() ? lines : 1;
    const Index piece = length < room / together ? length : room / together;
    for (Index line = 0; line < lines; line += together)
      for (Index begin = 0; begin < length; begin += piece) {
        const Index width = piece < length - begin ? piece : length - begin;
        for (Index l = 0; l < together; ++l) {
          const Index from = first + (line + l) * stride + begin;
          T* const to = e + l * width;
          EBB_SIMD
          for (Index k = 0; k < width; ++k) to[k] = argument(from + k, rows ? line + l : begin + k);
        }
        detail::exp_all(e, together * width);
        for (Index l = 0; l < together; ++l)
          run(first + (line + l) * stride + begin, rows ? line + l : begin, e + l * width, width);
      }
  }

  /// Calls result(at, j, e^argument(at, j)) for every element.
  template <class T, class Argument, class Result>
  void each_exp(const Argument& argument, const Result& result) const {
    exponentials<T>(argument, [&result](Index at, Index j, const T* e, Index width) {
      EBB_SIMD
      for (Index k = 0; k < width; ++k) result(at + k, rows ? j : j + k, e[k]);
    });
  }
};

/// An axis of n elements with `outer` blocks before it and `inner` elements after it.
struct AxisLines {
  static constexpr Index tile = 64;

  Index outer = 1, n = 1, inner = 1;

  template <int N>
  AxisLines(const Shape<N>& shape, int axis) : n(shape[axis]), inner(shape.stride(axis)) {
    for (int before = 0; before < axis; ++before) outer *= shape[before];
  }

  /// Calls `body(tile)` in parallel for all lines; loops in it are compiled for wider vectors too.
  template <class Body>
  void for_tiles(Index cost, Body&& body) const {
    const Index work = outer * n * inner * cost;
    if (inner == 1) {
      const Index wanted = 2048 / (n > 0 ? n : 1);
      const Index together = wanted < 1 ? 1 : wanted < tile ? wanted : tile;
      vector_for((outer + together - 1) / together, work, [&](Index task) {
        const Index line = task * together;
        const Index count = outer - line < together ? outer - line : together;
        body(LineTile<true>{line, count, n, 1, line * n});
      });
      return;
    }
    const Index tiles = (inner + tile - 1) / tile;
    vector_for(outer * tiles, work, [&](Index task) {
      const Index block = task / tiles, at = task % tiles * tile;
      const Index count = inner - at < tile ? inner - at : tile;
      body(LineTile<false>{block * inner + at, count, n, inner, block * n * inner + at});
    });
  }
};

namespace detail {

/// log sum e^x = m + log sum e^(x - m), which cannot overflow: m in `largest`, the other term in
/// `rest`.
template <class T, class Tile>
void log_sum_exp(const T* x, const Tile& lines, T* largest, T* rest) {
  lines.fold(
      Largest{}, [x](Index i, Index) { return x[i]; }, largest);
  lines.fold(
      AddUp{}, [=](Index i, Index j) { return math::exp(x[i] - largest[j]); }, rest);
  EBB_SIMD
  for (Index j = 0; j < lines.count; ++j) rest[j] = math::log(rest[j]);
}

}  // namespace detail

/// Kernel: y = e^(x - m) / sum e^(x - m) along the axis, m the largest x of its line.
template <class T, int N>
void softmax_forward(Cpu, int axis, View<const T, N> x, View<T, N> y) {
  const AxisLines lines(x.shape, axis);
  if (y.size() == 0) return;
  lines.for_tiles(4, [&](const auto& tile) {
    T largest[AxisLines::tile], total[AxisLines::tile];
    const T* const from = x.data;
    T* const to = y.data;
    tile.fold(
        Largest{}, [from](Index i, Index) { return from[i]; }, largest);
    tile.template each_exp<T>([=, &largest](Index i, Index j) { return from[i] - largest[j]; },
                              [to](Index i, Index, T e) { to[i] = e; });
    tile.fold(
        AddUp{}, [to](Index i, Index) { return to[i]; }, total);
    tile.each([to, &total](Index i, Index j) { to[i] /= total[j]; });
  });
}

/// Kernel: dx = y (dy - sum y dy) along the axis.
template <class T, int N>
void softmax_grad(Cpu, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  const AxisLines lines(y.shape, axis);
  if (dx.size() == 0) return;
  lines.for_tiles(2, [&](const auto& tile) {
    T total[AxisLines::tile];
    const T *const from = y.data, *const up = dy.data;
    T* const to = dx.data;
    tile.fold(
        AddUp{}, [=](Index i, Index) { return from[i] * up[i]; }, total);
    if (dx.add)
      tile.each([=, &total](Index i, Index j) { to[i] += from[i] * (up[i] - total[j]); });
    else
      tile.each([=, &total](Index i, Index j) { to[i] = from[i] * (up[i] - total[j]); });
  });
}

/// Kernel: y = x - m - log sum e^(x - m) along the axis.
template <class T, int N>
void log_softmax_forward(Cpu, int axis, View<const T, N> x, View<T, N> y) {
  const AxisLines lines(x.shape, axis);
  if (y.size() == 0) return;
  lines.for_tiles(4, [&](const auto& tile) {
    T largest[AxisLines::tile], rest[AxisLines::tile];
    const T* const from = x.data;
    T* const to = y.data;
    detail::log_sum_exp(from, tile, largest, rest);
    tile.each([=, &largest, &rest](Index i, Index j) { to[i] = from[i] - largest[j] - rest[j]; });
  });
}

/// Kernel: dx = dy - e^y sum dy along the axis.
template <class T, int N>
void log_softmax_grad(Cpu, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  const AxisLines lines(y.shape, axis);
  if (dx.size() == 0) return;
  lines.for_tiles(4, [&](const auto& tile) {
    T total[AxisLines::tile];
    const T *const from = y.data, *const up = dy.data;
    T* const to = dx.data;
    tile.fold(
        AddUp{}, [up](Index i, Index) { return up[i]; }, total);
    const auto argument = [from](Index i, Index) { return from[i]; };
    if (dx.add)
      tile.template each_exp<T>(
          argument, [=, &total](Index i, Index j, T e) { to[i] += up[i] - e * total[j]; });
    else
      tile.template each_exp<T>(
          argument, [=, &total](Index i, Index j, T e) { to[i] = up[i] - e * total[j]; });
  });
}

#define EBB_SOFTMAX(T)                                                                            \
  EBB_COMPILED(void softmax_forward<T, 2>(Cpu, int, View<const T, 2>, View<T, 2>))                \
  EBB_COMPILED(void softmax_grad<T, 2>(Cpu, int, View<const T, 2>, View<const T, 2>, Into<T, 2>)) \
  EBB_COMPILED(void log_softmax_forward<T, 2>(Cpu, int, View<const T, 2>, View<T, 2>))            \
  EBB_COMPILED(                                                                                   \
      void log_softmax_grad<T, 2>(Cpu, int, View<const T, 2>, View<const T, 2>, Into<T, 2>))
EBB_SOFTMAX(float)
EBB_SOFTMAX(double)
#undef EBB_SOFTMAX

}  // namespace ebb
