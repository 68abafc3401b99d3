/// \file
/// Lines along one axis of a tensor, seen as (outer, n, inner) around that axis. A task takes a
/// tile of neighbouring inner positions, so that memory is read in rows wherever the axis lies.
#pragma once

#include <ebb/core/shape.hpp>
#include <ebb/device/math.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/fold.hpp>
#include <ebb/kit/turn.hpp>

namespace ebb::inline EBB_ABI::kernel {

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
    if (inner == 1) return for_rows(cost, body);
    const Index tiles = divide_up(inner, tile);
    vector_for(outer * tiles, outer * n * inner * cost,
               [&](Index task) { body(columns(task, tiles)); });
  }

  /// The same for kernels that make one array of one or two others (`more` and `to` may be absent):
  /// calls body(tile, from, more, to). Numbers in short rows are turned into columns on their way
  /// in and out, because a vector of them is worth more along many rows than within one; then the
  /// tile and the pointers are those of copies in the nearest cache. `adds`: the body reads `to`.
  /// (The body is called in two places alone, for each is compiled for itself.)
  template <class T, class Body>
  void map_tiles(Index cost, const T* from, const T* more, T* to, bool adds,
                 const Body& body) const {
    constexpr std::size_t kept = detail::turns<T> ? 4096 : 1;
    constexpr Index room = Index{kept}, side = 8;
    const Index longest = more ? 64 : 128;  // beyond, turning two arrays costs more than it saves
    const bool turned = detail::turns<T> && inner == 1 && n > 1 && n <= longest;
    if (inner == 1 && !turned)
      return for_rows(cost, [&](const auto& rows) { body(rows, from, more, to); });
    const Index fit = turned ? room / n / side * side : tile, width = fit < tile ? fit : tile;
    const Index across = divide_up(inner, tile);
    const Index tiles = turned ? divide_up(outer, width) : outer * across;
    vector_for(tiles, outer * n * inner * cost, [&](Index task) {
      T copies[3][kept];
      const Index line = task * width, first = line * n;
      const Index count = outer - line < width ? outer - line : width;
      if constexpr (detail::turns<T>) {
        if (turned) detail::turn(from + first, count, n, n, copies[0], width);
        if (turned && more) detail::turn(more + first, count, n, n, copies[1], width);
        if (turned && adds) detail::turn(to + first, count, n, n, copies[2], width);
      }
      const LineTile<false> lines =
          turned ? LineTile<false>{line, count, n, width, 0} : columns(task, across);
      body(lines, turned ? copies[0] : from, turned ? copies[1] : more, turned ? copies[2] : to);
      if constexpr (detail::turns<T>)
        if (turned && to) detail::turn(copies[2], n, count, width, to + first, n);
    });
  }

 private:
  /// Calls `body(tile)` in parallel for lines that are rows.
  template <class Body>
  void for_rows(Index cost, const Body& body) const {
    const Index wanted = 2048 / (n > 0 ? n : 1);
    const Index together = wanted < 1 ? 1 : wanted < tile ? wanted : tile;
    vector_for(divide_up(outer, together), outer * n * cost, [&](Index task) {
      const Index line = task * together;
      const Index count = outer - line < together ? outer - line : together;
      body(LineTile<true>{line, count, n, 1, line * n});
    });
  }
  /// Tile `task` of lines that lie side by side, `tiles` of them in a block.
  LineTile<false> columns(Index task, Index tiles) const {
    const Index block = task / tiles, at = task % tiles * tile;
    const Index count = inner - at < tile ? inner - at : tile;
    return {block * inner + at, count, n, inner, block * n * inner + at};
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
      AddUp{}, [=](Index i, Index j) { return math::exp_or_zero(x[i] - largest[j]); }, rest);
  EBB_SIMD
  for (Index j = 0; j < lines.count; ++j) rest[j] = math::log(rest[j]);
}

}  // namespace detail

}  // namespace ebb::kernel
