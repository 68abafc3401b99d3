/// \file
/// Matrix products on the CPU: blocks of the operands are packed so that the register tiles of
/// tile.hpp read contiguous memory (Goto & van de Geijn, "Anatomy of high-performance matrix
/// multiplication", ACM TOMS 34, 2008). The cut into blocks depends on the shape alone, so results
/// have the same bits whatever the number of threads.
#pragma once

#include <ebb/device/scratch.hpp>
#include <ebb/ops/matmul/reference.hpp>
#include <ebb/ops/matmul/tile.hpp>

#include <algorithm>

namespace ebb {
namespace detail {

inline Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

/// A matrix as kernels read it: element (i, j) is data[i * row + j * column].
template <class T>
struct Strided {
  const T* data;
  Index row, column;
};

/// How a product is cut up.
struct GemmBlocks {
  Index rows, columns, depth;  ///< of a block
  Index splits = 1;            ///< pieces of k that are computed apart and added up after
  bool dot = false;            ///< both operands are contiguous along k: nothing to pack

  template <class T>
  static GemmBlocks of(Index m, Index n, Index k, Transposed transposed,
                       const simd::Tiles<T>& tiles) {
    GemmBlocks b{};
    // Packing B would cost as much as a short product, where it serves only few rows.
    b.dot = !transposed.a && transposed.b && k >= 16 * tiles.lanes && m <= 128;
    b.rows = b.dot ? 64 : 128;
    b.columns = b.dot ? 96 : 8 * tiles.columns();
    b.depth = (b.dot ? 2048 : 1024) / Index{sizeof(T)};
    const Index blocks = divide_up(m, b.rows) * divide_up(n, b.columns);
    // Small results of long sums: not enough blocks to share out among threads.
    if (blocks < 16) b.splits = std::clamp<Index>(std::min(16 / blocks, k / (4 * b.depth)), 1, 16);
    return b;
  }
};

/// Packs k0..k0+depth of `columns` columns from j0 on as panels[panel][k][width], zero where a
/// panel hangs over the edge.
template <class T>
void pack_panels(Strided<T> b, Index k0, Index depth, Index j0, Index columns, Index width,
                 T* panels) {
  for (Index j = 0; j < columns; j += width, panels += depth * width) {
    const Index live = std::min(width, columns - j);
    const T* from = b.data + k0 * b.row + (j0 + j) * b.column;
    if (b.column == 1) {
      for (Index k = 0; k < depth; ++k) {
        T* to = panels + k * width;
        const T* row = from + k * b.row;
        for (Index l = 0; l < live; ++l) to[l] = row[l];
        for (Index l = live; l < width; ++l) to[l] = T(0);
      }
    } else {
      // Eight columns at a time, so that reads and writes both stay within a few cache lines.
      constexpr Index group = 8;
      Index l = 0;
      for (; l + group <= live; l += group)
        for (Index k = 0; k < depth; ++k)
          for (Index g = 0; g < group; ++g)
            panels[k * width + l + g] = from[k * b.row + (l + g) * b.column];
      for (; l < width; ++l)
        for (Index k = 0; k < depth; ++k)
          panels[k * width + l] = l < live ? from[k * b.row + l * b.column] : T(0);
    }
  }
}

/// One block of the result: c (+)= a b over `m` x `n` elements, by broadcast tiles.
template <class T>
void gemm_block(const simd::Tiles<T>& tiles, const GemmBlocks& blocks, Index m, Index n, Index k,
                Strided<T> a, Strided<T> b, T* c, Index c_row, bool add, const Index* offset,
                T* scratch) {
  using Tiles = simd::Tiles<T>;
  const Index width = tiles.columns(), height = tiles.rows;
  const bool pack_left = a.column != 1;
  T* const right = scratch;
  T* const left = scratch + blocks.depth * blocks.columns;
  T edge[Tiles::most_rows * Tiles::most_columns];

  for (Index k0 = 0; k0 < k; k0 += blocks.depth) {
    const Index depth = std::min(blocks.depth, k - k0);
    const bool adds = add || k0 > 0;
    pack_panels(b, k0, depth, 0, n, width, right);
    if (pack_left) pack_panels(Strided<T>{a.data, a.column, a.row}, k0, depth, 0, m, height, left);

    for (Index j = 0; j < n; j += width) {
      const T* panel = right + j * depth;
      const Index columns = std::min(width, n - j);
      const Index vectors = divide_up(columns, tiles.lanes);
      for (Index i = 0; i < m; i += height) {
        const Index rows = std::min(height, m - i);
        const T* row[Tiles::most_rows];
        for (Index r = 0; r < height; ++r)
          row[r] =
              pack_left ? left + i * depth + r : a.data + (i + std::min(r, rows - 1)) * a.row + k0;
        T* to = c + i * c_row + j;
        const auto tile = tiles.broadcast[vectors - 1];
        if (rows == height && columns == vectors * tiles.lanes) {
          tile(depth, row, pack_left ? height : 1, panel, offset, to, c_row, adds);
          continue;
        }
        tile(depth, row, pack_left ? height : 1, panel, offset, edge, width, false);
        for (Index r = 0; r < rows; ++r)
          for (Index l = 0; l < columns; ++l)
            to[r * c_row + l] = edge[r * width + l] + (adds ? to[r * c_row + l] : T(0));
      }
    }
  }
}

/// One block of the result, c (+)= a b with both operands contiguous along k, by dot tiles.
template <class T>
void gemm_dot_block(const simd::Tiles<T>& tiles, const GemmBlocks& blocks, Index m, Index n,
                    Index k, Strided<T> a, Strided<T> b, T* c, Index c_row, bool add) {
  using Tiles = simd::Tiles<T>;
  const Index height = tiles.dot_rows, width = tiles.dot_columns;
  T sums[Tiles::most_dot];
  for (Index k0 = 0; k0 < k; k0 += blocks.depth) {
    const Index depth = std::min(blocks.depth, k - k0);
    const bool adds = add || k0 > 0;
    for (Index i = 0; i < m; i += height)
      for (Index j = 0; j < n; j += width) {
        const Index rows = std::min(height, m - i), columns = std::min(width, n - j);
        const T *left[Tiles::most_dot], *right[Tiles::most_dot];
        for (Index r = 0; r < height; ++r)
          left[r] = a.data + (i + std::min(r, rows - 1)) * a.row + k0;
        for (Index l = 0; l < width; ++l)
          right[l] = b.data + (j + std::min(l, columns - 1)) * b.column + k0;
        tiles.dot(depth, left, right, sums);
        T* to = c + i * c_row + j;
        for (Index r = 0; r < rows; ++r)
          for (Index l = 0; l < columns; ++l)
            to[r * c_row + l] = sums[r * width + l] + (adds ? to[r * c_row + l] : T(0));
      }
  }
}

/// `pieces` arrays of `n` elements, one after the other, added up pairwise into `y`; destroys them.
template <class T>
void add_pieces(T* parts, Index pieces, Index n, T* y, bool add) {
  parallel_ranges(n, pieces, [&](Index begin, Index end) {
    for (Index step = 1; step < pieces; step *= 2)
      for (Index p = 0; p + step < pieces; p += 2 * step) {
        T* to = parts + p * n;
        const T* from = parts + (p + step) * n;
        for (Index i = begin; i < end; ++i) to[i] += from[i];
      }
    if (add)
      for (Index i = begin; i < end; ++i) y[i] += parts[i];
    else
      for (Index i = begin; i < end; ++i) y[i] = parts[i];
  });
}

/// c (+)= op(a) op(b) for one pair of matrices.
template <class T>
void gemm_matrix(Transposed transposed, Index m, Index n, Index k, const T* a, const T* b, T* c,
                 bool add) {
  if (m == 0 || n == 0) return;
  const simd::Tiles<T> tiles = simd::tiles<T>();
  const GemmBlocks blocks = GemmBlocks::of(m, n, k, transposed, tiles);
  const Strided<T> left = transposed.a ? Strided<T>{a, 1, m} : Strided<T>{a, k, 1};
  const Strided<T> right = transposed.b ? Strided<T>{b, 1, k} : Strided<T>{b, n, 1};
  if (k == 0) {
    if (!add)
      for (Index i = 0; i < m * n; ++i) c[i] = T(0);
    return;
  }

  const Index down = divide_up(m, blocks.rows), across = divide_up(n, blocks.columns);
  const Index piece = divide_up(divide_up(k, blocks.splits), 16) * 16;  // of k
  const Index splits = divide_up(k, piece);
  const Scratch<T> partial(splits > 1 ? splits * m * n : 0);
  const Scratch<T> packed = Scratch<T>::per_thread(
      blocks.dot ? 0 : blocks.depth * (blocks.columns + blocks.rows + simd::Tiles<T>::most_rows));
  const Scratch<Index> offset(blocks.depth);
  for (Index l = 0; l < blocks.depth; ++l) offset.data()[l] = l * tiles.columns();

  parallel_for(down * across * splits, m * n * k / 4, [&](Index task) {
    const Index split = task % splits, block = task / splits;
    const Index i = block / across * blocks.rows, j = block % across * blocks.columns;
    const Index k0 = split * piece, depth = std::min(piece, k - k0);
    const Index rows = std::min(blocks.rows, m - i), columns = std::min(blocks.columns, n - j);
    const Strided<T> from_a{left.data + i * left.row + k0 * left.column, left.row, left.column};
    const Strided<T> from_b{right.data + k0 * right.row + j * right.column, right.row,
                            right.column};
    T* const to = (splits > 1 ? partial.data() + split * m * n : c) + i * n + j;
    const bool adds = splits == 1 && add;
    if (blocks.dot)
      gemm_dot_block(tiles, blocks, rows, columns, depth, from_a, from_b, to, n, adds);
    else
      gemm_block(tiles, blocks, rows, columns, depth, from_a, from_b, to, n, adds, offset.data(),
                 packed.mine());
  });
  if (splits > 1) add_pieces(partial.data(), splits, m * n, c, add);
}

}  // namespace detail

/// Kernel: c (+)= op(a) op(b) for each matrix of a batch; op(a) is (m, k), op(b) is (k, n).
template <class T>
void gemm(Cpu, Transposed transposed, View<const T, 3> a, View<const T, 3> b, Into<T, 3> c) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    const Index batch = c.shape[0], m = c.shape[1], n = c.shape[2];
    const Index k = a.extent(transposed.a ? 1 : 2);
    const auto product = [&](Index i) {
      detail::gemm_matrix(transposed, m, n, k, a.data + i * m * k, b.data + i * k * n,
                          c.data + i * m * n, c.add);
    };
    // Many matrices are shared out whole; a few are cut up one after the other.
    if (batch >= 16)
      parallel_for(batch, batch * m * n * k / 4, product);
    else
      for (Index i = 0; i < batch; ++i) product(i);
  } else {
    reference::gemm<T>(transposed, a, b, c);
  }
}

/// Kernel: the same for one pair of matrices.
template <class Device, class T>
void gemm(Device device, Transposed transposed, View<const T, 2> a, View<const T, 2> b,
          Into<T, 2> c) {
  const auto one = [](const Shape<2>& s) { return Shape<3>{1, s[0], s[1]}; };
  gemm(device, transposed, View<const T, 3>{a.data, one(a.shape)},
       View<const T, 3>{b.data, one(b.shape)}, Into<T, 3>{c.data, one(c.shape), c.add});
}

}  // namespace ebb
