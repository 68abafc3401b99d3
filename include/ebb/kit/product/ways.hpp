/// \file
/// The three ways a task of a matrix product goes: by packed panels, by rows that are streamed from
/// where they lie, by dot products of rows.
#pragma once

#include <ebb/kit/product/pack.hpp>
#include <ebb/kit/product/plan.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// A part of a result that tiles write to: c[i * row + j], or added to it.
template <class T>
struct Target {
  T* data;
  Index row;
  bool add;
};

/// Runs wide tiles over the edge of the result, where rows of A or columns of c end within them:
/// `rows` x `columns` of what they compute are wanted. Rows of `b` are where `offset` says.
template <class T>
void edge_tile(const simd::Tiles<T>& tiles, Index rows, Index columns, Index depth, const T* a,
               Index a_row, Index a_step, const T* b, const Index* offset, T* c, Index c_row,
               bool add) {
  using Tiles = simd::Tiles<T>;
  T edge[Tiles::most_rows * Tiles::most_columns];
  const T* row[Tiles::most_rows];
  for (Index i = 0; i < rows; i += tiles.rows, a += tiles.rows * a_row, c += tiles.rows * c_row) {
    const Index live = std::min<Index>(tiles.rows, rows - i);
    for (Index r = 0; r < tiles.rows; ++r) row[r] = a + std::min(r, live - 1) * a_row;
    tiles.broadcast[divide_up(columns, tiles.lanes) - 1](depth, row, a_step, b, offset, edge,
                                                         Tiles::most_columns, false);
    for (Index r = 0; r < live; ++r)
      for (Index l = 0; l < columns; ++l)
        c[r * c_row + l] = edge[r * Tiles::most_columns + l] + (add ? c[r * c_row + l] : T(0));
  }
}

/// Asks for a part of a matrix, a few lines of the cache at each call, while something else is
/// computed.
template <class T>
class Ahead {
 public:
  Ahead() = default;
  /// `rows` x `columns` of `b`, to be there after so many calls; nothing where neither is
  /// contiguous.
  Ahead(Strided<T> b, Index rows, Index columns, Index calls) {
    if (b.column != 1) {
      b = b.transposed();
      std::swap(rows, columns);
    }
    if (b.column != 1 || columns <= 0) return;
    at_ = b.data, row_ = b.row, rows_ = rows, lines_ = divide_up(columns, line) + 1;
    quota_ = divide_up(rows * lines_, calls);
  }

  void some() {
    for (Index q = 0; q < quota_ && rows_ > 0; ++q) {
      __builtin_prefetch(at_ + next_ * line, 0, 2);
      if (++next_ == lines_) next_ = 0, --rows_, at_ += row_;
    }
  }

 private:
  static constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  const T* at_ = nullptr;
  Index row_ = 0, rows_ = 0, lines_ = 0, quota_ = 0, next_ = 0;
};

/// How far apart the elements of packed rows of A are: a multiple of the height
/// of every tile, and of the lanes of every register.
inline constexpr Index left_width = 48;

/// Elements that the packed way copies `rows` x `columns` of a task to, at most.
template <class T>
Index packed_elements(const simd::Tiles<T>& tiles, Index rows, Index columns, Index depth) {
  return (depth + 8) * (std::max<Index>(columns, tiles.columns()) + rows + 2 * left_width);
}

/// Panels of B that were packed ahead, (step of k, panel, k, lane); none where `data` is null.
template <class T>
struct Panels {
  const T* data = nullptr;
  Index step = 0, stride = 0;  ///< from one step of k to the next, from one panel to the next

  /// The same from a step and a panel on.
  Panels from(Index steps, Index panels) const {
    return {data == nullptr ? nullptr : data + steps * step + panels * stride, step, stride};
  }
};

/// The rows of A of one step of k: where they lie, or packed as (panel, k, row).
template <class T>
struct LeftRows {
  Strided<T> lie;
  const T* packed;
  Index depth;

  /// From row i on.
  Strided<T> from(Index i) const {
    if (packed == nullptr) return lie.from(i, 0);
    return {packed + i / left_width * panel_stride(depth, left_width) + i % left_width, 1,
            left_width};
  }
};

/// Tiles over one block: c (m, n) (+)= a b for one step of k, the `first` or a later one, where
/// panels of b are in cache.
template <class T>
void gemm_block(const simd::Tiles<T>& tiles, const GemmPlan& plan, Index m, Index n, Index depth,
                const LeftRows<T>& a, Panels<T> b, Target<T> c, const Index* offset, bool first,
                Ahead<T> right_ahead, Ahead<T> left_ahead) {
  const auto* const tile = plan.tall ? tiles.tall : tiles.wide;
  const Index height = plan.tall ? tiles.tall_rows : tiles.rows, width = plan.width(tiles);
  for (Index j = 0; j < n; j += width) {
    const T* const panel = b.data + j / width * b.stride;
    const Index columns = std::min(width, n - j), vectors = divide_up(columns, tiles.lanes);
    for (Index i = 0; i < m; i += height) {
      const Index rows = std::min(height, m - i);
      const Strided<T> left = a.from(i);
      T* const to = c.data + i * c.row + j;
      right_ahead.some();
      left_ahead.some();
      if (first)
        for (Index r = 0; r < height && i + height + r < m; ++r) {
          __builtin_prefetch(to + (height + r) * c.row, 1);
          __builtin_prefetch(to + (height + r) * c.row + columns - 1, 1);
        }
      if (rows == height && columns == vectors * tiles.lanes)
        tile[vectors - 1](depth, left.data, left.row, left.column, panel, width, to, c.row, c.add);
      else
        edge_tile<T>(tiles, rows, columns, depth, left.data, left.row, left.column, panel, offset,
                     to, c.row, c.add);
    }
  }
}

/// A task of the packed way: c (m, n) (+)= a b, where b is found in `ahead` if it is there, else
/// packed a block at a time. `offset` holds multiples of the panel's width.
template <class T>
void gemm_packed(const simd::Tiles<T>& tiles, const GemmPlan& plan, Index m, Index n, Index k,
                 Strided<T> a, Strided<T> b, Panels<T> ahead, Target<T> c, const Index* offset,
                 T* scratch) {
  const Index height = plan.tall ? tiles.tall_rows : tiles.rows, width = plan.width(tiles);
  // Rows of A are read where they are, unless the elements of one lie far
  // apart.
  const bool pack_left = a.column * std::min(plan.depth, k) * Index{sizeof(T)} > 16 * 1024;
  T* const block = scratch;  // of B: (panel, k, lane)
  T* const left = scratch + plan.block / width * panel_stride(plan.depth, width);

  for (Index k0 = 0; k0 < k; k0 += plan.depth) {
    const Index depth = std::min(plan.depth, k - k0);
    if (pack_left)
      pack_panels(tiles, a.from(0, k0).transposed(), depth, m, left_width,
                  panel_stride(depth, left_width), left);
    const LeftRows<T> rows{a.from(0, k0), pack_left ? left : nullptr, depth};
    for (Index j0 = 0; j0 < n; j0 += plan.block) {
      const Index across = std::min(plan.block, n - j0);
      Panels<T> panels = ahead.from(k0 / plan.depth, j0 / width);
      const bool found = panels.data != nullptr;
      if (!found) {
        panels = {block, 0, panel_stride(depth, width)};
        pack_panels(tiles, b.from(k0, j0), depth, across, width, panels.stride, block);
      }
      // While a block is computed, what the next one reads comes closer.
      const Index calls = divide_up(m, height) * divide_up(across, width);
      const bool last = j0 + across == n;
      const Index next_k = last ? k0 + depth : k0, next_j = last ? 0 : j0 + across;
      const Index deep = std::min(plan.depth, k - next_k), wide = std::min(plan.block, n - next_j);
      const Ahead<T> right_ahead =
          found ? Ahead<T>({ahead.from(next_k / plan.depth, next_j / width).data, panels.stride, 1},
                           divide_up(wide, width), deep * width, calls)
                : Ahead<T>(b.from(next_k, next_j), deep, wide, calls);
      const Ahead<T> left_ahead = last ? Ahead<T>(a.from(0, next_k), m, deep, calls) : Ahead<T>();
      gemm_block(tiles, plan, m, across, depth, rows, panels,
                 Target<T>{c.data + j0, c.row, c.add || k0 > 0}, offset, k0 == 0, right_ahead,
                 left_ahead);
    }
  }
}

/// A task of the streaming way: c (m, n) (+)= a b for whole registers of
/// columns, B's rows read where they are. `offset` holds multiples of B's row.
template <class T>
void gemm_streams(const simd::Tiles<T>& tiles, const GemmPlan& plan, Index m, Index n, Index k,
                  Strided<T> a, Strided<T> b, Target<T> c, const Index* offset) {
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  for (Index k0 = 0; k0 < k; k0 += plan.depth) {
    const Index depth = std::min(plan.depth, k - k0);
    const Index later = std::min(plan.depth, k - k0 - depth);  // rows of B that come next
    const bool adds = c.add || k0 > 0;
    for (Index i = 0, rows = 0; i < m; i += rows) {
      const bool slim = m - i < tiles.rows;
      rows = !slim ? tiles.rows : m - i >= 2 ? 2 : 1;
      const T* const first = a.data + i * a.row + k0 * a.column;
      const Index width = tiles.lanes * (slim ? 4 : tiles.vectors);
      for (Index j = 0; j < n; j += width) {
        const T* from = b.data + k0 * b.row + j;
        T* to = c.data + i * c.row + j;
        if (i == 0)
          for (Index l = 0; l < later; ++l)
            for (Index at = 0; at < width; at += line)
              __builtin_prefetch(from + (depth + l) * b.row + at);
        if (k0 == 0)
          for (Index r = 0; r < rows; ++r)
            for (Index at = 0; at < width; at += line)
              __builtin_prefetch(to + r * c.row + 2 * width + at, 1);
        const Index vectors = std::min(width, n - j) / tiles.lanes;
        if (vectors * tiles.lanes == width) {
          (slim ? tiles.slim[rows - 1] : tiles.wide[vectors - 1])(depth, first, a.row, a.column,
                                                                  from, b.row, to, c.row, adds);
        } else if (!slim) {
          tiles.wide[vectors - 1](depth, first, a.row, a.column, from, b.row, to, c.row, adds);
        } else {
          edge_tile<T>(tiles, rows, vectors * tiles.lanes, depth, first, a.row, a.column, from,
                       offset, to, c.row, adds);
        }
      }
    }
  }
}

/// A task of the dot way: c (m, n) (+)= a b with both operands contiguous along
/// k.
template <class T>
void gemm_dot(const simd::Tiles<T>& tiles, const GemmPlan& plan, Index m, Index n, Index k,
              Strided<T> a, Strided<T> b, Target<T> c, T* scratch) {
  const auto block = m <= 2 ? tiles.thin_block : tiles.dot_block;
  for (Index k0 = 0; k0 < k; k0 += plan.depth) {
    const Index depth = std::min(plan.depth, k - k0);
    const Index ahead = k - k0 > plan.depth ? plan.depth : 0;
    block(m, n, depth, ahead, a.data + k0, a.row, b.data + k0, b.column, c.data, c.row,
          c.add || k0 > 0, m > 8 ? scratch : nullptr);
  }
}

}  // namespace ebb::kernel::detail
