/// \file
/// Copies of parts of matrices in the order in which register tiles read them.
#pragma once

#include <ebb/kit/product/tile.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::kernel::detail {

/// A matrix as kernels read it: element (i, j) is data[i * row + j * column].
template <class T>
struct Strided {
  const T* data;
  Index row, column;

  Strided from(Index i, Index j) const { return {data + i * row + j * column, row, column}; }
  Strided transposed() const { return {data, column, row}; }
};

/// An operand that stays the same from product to product may be packed ahead: `data` is the matrix
/// as it lies, or what a plan's `pack` wrote of it.
template <class T>
struct MaybePacked {
  const T* data;
  bool packed;

  MaybePacked(const T* elements, bool are_packed = false) : data(elements), packed(are_packed) {}
};

/// The distance from one packed panel to the next: not a power of two, because
/// caches hold only a few lines that are such a distance apart.
inline constexpr Index panel_stride(Index depth, Index width) { return depth * width + 16; }

/// Packs `depth` rows of `columns` columns as (panel, k, lane), panels `stride` apart, zero where a
/// panel hangs over the edge; a panel is `width` lanes wide, which are whole registers.
template <class T>
void pack_panels(const simd::Tiles<T>& tiles, Strided<T> b, Index depth, Index columns, Index width,
                 Index stride, T* panels) {
  if (b.column == 1) {
    tiles.copy_panels(depth, columns, b.data, b.row, width, stride, panels);
    return;
  }
  for (Index j = 0; j < columns; j += width, panels += stride) {
    const Index live = std::min(width, columns - j);
    const T* from = b.data + j * b.column;
    if (b.row == 1) {
      tiles.from_planes(from, b.column, depth, live, panels, width);
      continue;
    }
    for (Index l = 0; l < width; ++l)
      for (Index k = 0; k < depth; ++k)
        panels[k * width + l] = l < live ? from[k * b.row + l * b.column] : T(0);
  }
}

}  // namespace ebb::kernel::detail
