/// \file
/// Copies of parts of matrices in the order in which register tiles read them.
#pragma once

#include <ebb/ops/matmul/tile.hpp>

#include <algorithm>
#include <type_traits>

namespace ebb::detail {

/// A matrix as kernels read it: element (i, j) is data[i * row + j * column].
template <class T>
struct Strided {
  const T* data;
  Index row, column;

  Strided from(Index i, Index j) const { return {data + i * row + j * column, row, column}; }
  Strided transposed() const { return {data, column, row}; }
};

/// Transposes a square of 16 bytes a side: to[i * to_row + j] = from[j *
/// from_row + i].
template <class T>
inline void transpose_square(const T* from, Index from_row, T* to, Index to_row) {
  typedef T Short __attribute__((vector_size(16)));
  constexpr int side = 16 / static_cast<int>(sizeof(T));
  Short in[side], out[side];
  for (int i = 0; i < side; ++i) __builtin_memcpy(&in[i], from + i * from_row, sizeof(Short));
  if constexpr (side == 2) {
    out[0] = EBB_SHUFFLE(in[0], in[1], 0, 2);
    out[1] = EBB_SHUFFLE(in[0], in[1], 1, 3);
  } else {
    const Short a = EBB_SHUFFLE(in[0], in[1], 0, 4, 1, 5),
                b = EBB_SHUFFLE(in[0], in[1], 2, 6, 3, 7);
    const Short c = EBB_SHUFFLE(in[2], in[3], 0, 4, 1, 5),
                d = EBB_SHUFFLE(in[2], in[3], 2, 6, 3, 7);
    out[0] = EBB_SHUFFLE(a, c, 0, 1, 4, 5);
    out[1] = EBB_SHUFFLE(a, c, 2, 3, 6, 7);
    out[2] = EBB_SHUFFLE(b, d, 0, 1, 4, 5);
    out[3] = EBB_SHUFFLE(b, d, 2, 3, 6, 7);
  }
  for (int i = 0; i < side; ++i) __builtin_memcpy(to + i * to_row, &out[i], sizeof(Short));
}

/// The distance from one packed panel to the next: not a power of two, because
/// caches hold only a few lines that are such a distance apart.
inline constexpr Index panel_stride(Index depth, Index width) { return depth * width + 16; }

/// Packs `depth` rows of `columns` columns as panels[panel][k][width], zero
/// where a panel hangs over the edge; a panel is whole registers wide.
template <class T>
void pack_panels(const simd::Tiles<T>& tiles, Strided<T> b, Index depth, Index columns, Index width,
                 T* panels) {
  if (b.column == 1) {
    tiles.copy_panels(depth, columns, b.data, b.row, width, panel_stride(depth, width), panels);
    return;
  }
  for (Index j = 0; j < columns; j += width, panels += panel_stride(depth, width)) {
    const Index live = std::min(width, columns - j);
    const T* from = b.data + j * b.column;
    Index l = 0;
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>)
      if (b.row == 1) {
        constexpr Index side = 16 / static_cast<Index>(sizeof(T));
        for (; l + side <= live; l += side) {
          const T* row = from + l * b.column;
          Index k = 0;
          for (; k + side <= depth; k += side)
            transpose_square(row + k, b.column, panels + k * width + l, width);
          for (; k < depth; ++k)
            for (Index g = 0; g < side; ++g) panels[k * width + l + g] = row[k + g * b.column];
        }
      }
    for (; l < width; ++l)
      for (Index k = 0; k < depth; ++k)
        panels[k * width + l] = l < live ? from[k * b.row + l * b.column] : T(0);
  }
}

}  // namespace ebb::detail
