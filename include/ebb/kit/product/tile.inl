// The register tiles that every product and convolution on the CPU ends in, for one instruction set
// (kit/product/tile.hpp, device/simd/per_isa.inl): here those that broadcast, in dot.inl those of
// dot products.
// The loops over tile rows and columns are unrolled whole, so that `sum` lives in registers.

/// `rows` x (`vectors` registers) of c = A B: a column of A is broadcast against a row of B.
/// Element (i, k) of A is a[i][k * step]; row k of B starts at b + offset[k]. `add` adds to c.
template <class T, int rows, int vectors>
EBB_ISA_TARGET void broadcast_tile(Index depth, const T* const* a, Index step, const T* b,
                                   const Index* offset, T* c, Index c_stride, bool add) {
#if defined(__clang__) && EBB_ISA_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  using Vector = Vec<T>;
  constexpr int lanes = lanes_of<T>;
  const T* row[array_size(rows)];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) row[i] = a[i];
  Vector sum[array_size(rows)][array_size(vectors)];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) sum[i][j] = Vector{};

  for (Index k = 0, at = 0; k < depth; ++k, at += step) {
    const T* from = b + offset[k];
    Vector right[array_size(vectors)];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) load(from + j * lanes, right[j]);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const Vector left = row[i][at] - Vector{};
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
    }
  }

#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) {
      T* to = c + i * c_stride + j * lanes;
      if (add) {
        Vector before;
        load(to, before);
        sum[i][j] += before;
      }
      store(sum[i][j], to);
    }
}

/// The same for operands whose rows are evenly apart: element (i, k) of A is a[i * a_row +
/// k * a_step], row k of B starts at b + k * b_row. Three rows of A share a pointer, so that all
/// addresses live in registers.
template <class T, int rows, int vectors>
EBB_ISA_TARGET void even_tile(Index depth, const T* a, Index a_row, Index a_step, const T* b,
                              Index b_row, T* c, Index c_row, bool add) {
#if defined(__clang__) && EBB_ISA_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  using Vector = Vec<T>;
  constexpr int lanes = lanes_of<T>, threes = (rows + 2) / 3;
  const T* row[array_size(threes)];
#pragma GCC unroll 4
  for (int i = 0; i < threes; ++i) row[i] = a + 3 * i * a_row;
  Vector sum[array_size(rows)][array_size(vectors)];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) sum[i][j] = Vector{};

  for (Index k = 0; k < depth; ++k) {
    Vector right[array_size(vectors)];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) load(b + j * lanes, right[j]);
    b += b_row;
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const Vector left = row[i / 3][i % 3 * a_row] - Vector{};
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
    }
#pragma GCC unroll 4
    for (int i = 0; i < threes; ++i) row[i] += a_step;
  }

#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) {
      if (add) {
        Vector before;
        load(c + j * lanes, before);
        sum[i][j] += before;
      }
      store(sum[i][j], c + j * lanes);
    }
    c += c_row;
  }
}

#include <ebb/kit/product/finish.inl>
#include <ebb/kit/product/packing.inl>

/// to[j] = sum over k of weight[k * apart] rows[k * stride + j] for j below n, added up as a
/// broadcast tile does.
template <class T>
EBB_ISA_TARGET void combine_rows(Index terms, const T* weight, Index apart, const T* rows,
                                 Index stride, Index n, T* to) {
#if defined(__clang__) && EBB_ISA_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  using Vector = Vec<T>;
  constexpr int vectors = 4;
  constexpr Index lanes = lanes_of<T>, width = vectors * lanes;
  Index j = 0;
  for (; j + width <= n; j += width) {
    Vector sum[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[v] = Vector{};
    for (Index k = 0; k < terms; ++k) {
      const Vector left = weight[k * apart] - Vector{};
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        Vector right;
        load(rows + k * stride + j + v * lanes, right);
        sum[v] += left * right;
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) store(sum[v], to + j + v * lanes);
  }
  for (; j < n; ++j) {
    T sum = T(0);
    for (Index k = 0; k < terms; ++k) sum += weight[k * apart] * rows[k * stride + j];
    to[j] = sum;
  }
}

#include <ebb/kit/product/dot.inl>

/// This instruction set's tiles, as values.
template <class T>
Tiles<T> tiles() {
  constexpr TileSizes size = TileSizes::of(EBB_ISA_BYTES);
  static_assert(size.rows <= Tiles<T>::most_rows && size.tall_rows <= Tiles<T>::most_rows &&
                size.vectors <= Tiles<T>::most_vectors && size.tall_vectors == 2);
  Tiles<T> t;
  t.lanes = lanes_of<T>;
  t.rows = size.rows;
  t.vectors = size.vectors;
  t.broadcast[0] = &broadcast_tile<T, size.rows, 1>;
  t.broadcast[1] = &broadcast_tile<T, size.rows, 2>;
  t.broadcast[2] = &broadcast_tile<T, size.rows, 3>;
  t.tall_rows = size.tall_rows;
  t.tall_vectors = size.tall_vectors;
  t.wide[0] = &even_tile<T, size.rows, 1>;
  t.wide[1] = &even_tile<T, size.rows, 2>;
  t.wide[2] = &even_tile<T, size.rows, 3>;
  t.tall[0] = &even_tile<T, size.tall_rows, 1>;
  t.tall[1] = &even_tile<T, size.tall_rows, 2>;
  t.slim[0] = &even_tile<T, 1, 4>;
  t.slim[1] = &even_tile<T, 2, 4>;
  t.copy_panels = &copy_panels<T>;
  t.from_planes = &from_planes<T>;
  t.combine_rows = &combine_rows<T>;
  t.dot_rows = size.dot_rows;
  t.dot_columns = size.dot_columns;
  t.dot = &dot_tile<T, size.dot_rows, size.dot_columns>;
  t.dot_block = &dot_block<T, size.dot_rows, size.dot_columns>;
  t.thin_block = &dot_block<T, 2, size.thin_columns>;
  return t;
}
