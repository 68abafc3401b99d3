// The register tile of dot products, for operands that are contiguous along what is summed over,
// and blocks of it; for the instruction set of kit/product/tile.inl, which includes this file.

/// c[i][j] = sum over k of a[i][k] b[j][k], for operands that are contiguous along k: partial sums
/// are kept per lane and added up at the end, in a fixed order. A `packed` b has a register's lanes
/// of all columns side by side, then the next lanes of all: b[j] + k * columns.
template <class T, int rows, int columns, bool packed>
EBB_ISA_TARGET inline void dot_tile_of(Index depth, const T* const* a, const T* const* b, T* c) {
#if defined(__clang__) && EBB_ISA_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  using Vector = Vec<T>;
  constexpr int lanes = lanes_of<T>, step = packed ? columns : 1;
  const T *left[array_size(rows)], *right[array_size(columns)];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) left[i] = a[i];
#pragma GCC unroll 16
  for (int j = 0; j < columns; ++j) right[j] = b[j];
  // A register holds a share of the sum's lanes (sum_lanes): shares are summed one after the other,
  // stretch by stretch, so that the others find in the nearest cache what the first has read.
  using Short = Register<T, 16>;
  constexpr int all = sum_lanes<T>, shares = all / lanes, count = rows * columns;
  constexpr int last = 16 / static_cast<int>(sizeof(T)), shorts = EBB_ISA_BYTES / 16;
  static_assert(count % last == 0);
  const Index whole = depth / all * all, stretch = shares > 1 ? 2048 / Index{sizeof(T)} : whole;
  Vector sum[array_size(rows)][array_size(columns)], kept[array_size(shares)][array_size(count)];
  for (Index begin = 0; begin == 0 || begin < whole; begin += stretch) {
    const Index end = begin + stretch < whole ? begin + stretch : whole;
#pragma GCC unroll 4
    for (int share = 0; share < shares; ++share) {
      if (shares == 1 || begin == 0) {
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
          for (int j = 0; j < columns; ++j) sum[i][j] = Vector{};
      } else {
        __builtin_memcpy(sum, kept[share], sizeof sum);
      }
      for (Index k = begin + share * lanes; k < end; k += all) {
        Vector y[array_size(columns)];
#pragma GCC unroll 16
        for (int j = 0; j < columns; ++j) load(right[j] + k * step, y[j]);
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) {
          Vector x;
          load(left[i] + k, x);
#pragma GCC unroll 16
          for (int j = 0; j < columns; ++j) sum[i][j] += x * y[j];
        }
      }
      if constexpr (shares > 1) __builtin_memcpy(kept[share], sum, sizeof sum);
    }
    if (shares == 1) break;
  }

  // Halves are added to halves down to 16 bytes; then lanes of neighbouring sums, side by side.
  Short total[array_size(count)];
#pragma GCC unroll 16
  for (int i = 0; i < count; ++i) {
    Vector own = sum[i / columns][i % columns];
    if constexpr (shares == 2) own = kept[0][i] + kept[1][i];
    if constexpr (shares == 4) own = (kept[0][i] + kept[2][i]) + (kept[1][i] + kept[3][i]);
    Short part[shorts];
    store(own, part);
#pragma GCC unroll 4
    for (int width = shorts / 2; width > 0; width /= 2)
#pragma GCC unroll 4
      for (int l = 0; l < width; ++l) part[l] += part[l + width];
    total[i] = part[0];
  }
#pragma GCC unroll 16
  for (int i = 0; i < count; i += last) {
    Short u = total[i], v = total[i + 1];
    if constexpr (last == 2) {
      u = EBB_SHUFFLE(u, v, 0, 2) + EBB_SHUFFLE(u, v, 1, 3);
    } else {
      Short x = total[i + 2], y = total[i + 3];
      u = EBB_SHUFFLE(u, v, 0, 1, 4, 5) + EBB_SHUFFLE(u, v, 2, 3, 6, 7);
      x = EBB_SHUFFLE(x, y, 0, 1, 4, 5) + EBB_SHUFFLE(x, y, 2, 3, 6, 7);
      u = EBB_SHUFFLE(u, x, 0, 2, 4, 6) + EBB_SHUFFLE(u, x, 1, 3, 5, 7);
    }
    store(u, c + i);
  }
  // The pointers are read again: were the copies looked up by a loop's counter, they would not
  // live in registers.
  for (Index k = whole; k < depth; ++k)
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < columns; ++j)
        c[i * columns + j] += a[i][k] * b[j][k / lanes * lanes * step + k % lanes];
}

template <class T, int rows, int columns>
EBB_ISA_TARGET void dot_tile(Index depth, const T* const* a, const T* const* b, T* c) {
  dot_tile_of<T, rows, columns, false>(depth, a, b, c);
}

/// c (m, n) (+)= A B^T over `depth` elements of the rows of A (m) and of B (n), by dot tiles. Given
/// room for `panels`, B is packed there. While it computes, it asks for the same rows' of B,
/// `ahead` elements further on (0: for none).
template <class T, int rows, int columns>
EBB_ISA_TARGET void dot_block(Index m, Index n, Index depth, Index ahead, const T* a, Index a_row,
                              const T* b, Index b_row, T* c, Index c_row, bool add, T* panels) {
  using Short = Register<T, 16>;
  constexpr int last = 16 / static_cast<int>(sizeof(T));
  constexpr Index lanes = lanes_of<T>;
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  const Index room = divide_up(depth, lanes) * lanes;
  if (panels) pack_rows<T, columns>(n, depth, b, b_row, panels);

  const Index tiles = divide_up(m, rows) * divide_up(n, columns);
  const Index lines = divide_up(depth, line);
  const Index quota = ahead == 0 ? 0 : divide_up(n * lines, tiles);
  Index wanted_row = 0;
  const T *wanted = b + ahead, *wanted_end = wanted + depth;
  for (Index i = 0; i < m; i += rows) {
    const T *left[array_size(rows)], *right[array_size(columns)];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) left[r] = a + (i + r < m ? i + r : m - 1) * a_row;
    const T* panel = panels;
    for (Index j = 0; j < n; j += columns) {
      for (Index q = 0; q < quota && wanted_row < n; ++q, wanted += line) {
        __builtin_prefetch(wanted, 0, 2);
        if (wanted + line < wanted_end) continue;
        ++wanted_row;
        wanted_end += b_row;
        wanted = wanted_end - depth - line;
      }
      T sums[array_size(rows * columns)];
      if (panels) {
#pragma GCC unroll 16
        for (int l = 0; l < columns; ++l) right[l] = panel + l * lanes;
        panel += columns * room;
        dot_tile_of<T, rows, columns, true>(depth, left, right, sums);
      } else {
#pragma GCC unroll 16
        for (int l = 0; l < columns; ++l) right[l] = b + (j + l < n ? j + l : n - 1) * b_row;
        dot_tile_of<T, rows, columns, false>(depth, left, right, sums);
      }
      T* to = c + i * c_row + j;
      if (i + rows <= m && j + columns <= n) {
        // Read back as it was stored: a load that spans two stores waits for both.
#pragma GCC unroll 16
        for (int s = 0; s < rows * columns; s += last) {
          Short part;
          load(sums + s, part);
#pragma GCC unroll 4
          for (int l = 0; l < last; ++l) {
            T& element = to[(s + l) / columns * c_row + (s + l) % columns];
            element = add ? element + part[l] : part[l];
          }
        }
      } else {
        for (int r = 0; r < rows && i + r < m; ++r)
          for (int l = 0; l < columns && j + l < n; ++l)
            to[r * c_row + l] = sums[r * columns + l] + (add ? to[r * c_row + l] : T(0));
      }
    }
  }
}
