/// \file
/// Transposition of small blocks that lie in the nearest cache.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/simd/registers.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Whether `turn` knows how to take several numbers of this type at once.
template <class T>
inline constexpr bool turns = std::is_same_v<T, float> || std::is_same_v<T, double>;

/// to[j * to_row + i] = from[i * from_row + j] for a square of 16 bytes a side.
template <class T>
inline void turn_square(const T* from, Index from_row, T* to, Index to_row) {
  using Short = simd::Register<T, 16>;
  constexpr int side = 16 / static_cast<int>(sizeof(T));
  Short in[array_size(side)], out[array_size(side)];
#pragma GCC unroll 4
  for (int i = 0; i < side; ++i) __builtin_memcpy(&in[i], from + i * from_row, sizeof(Short));
  if constexpr (side == 2) {
    out[0] = EBB_SHUFFLE(in[0], in[1], 0, 2);
    out[1] = EBB_SHUFFLE(in[0], in[1], 1, 3);
  } else {
    const Short a = EBB_SHUFFLE(in[0], in[1], 0, 4, 1, 5);
    const Short b = EBB_SHUFFLE(in[0], in[1], 2, 6, 3, 7);
    const Short c = EBB_SHUFFLE(in[2], in[3], 0, 4, 1, 5);
    const Short d = EBB_SHUFFLE(in[2], in[3], 2, 6, 3, 7);
    out[0] = EBB_SHUFFLE(a, c, 0, 1, 4, 5);
    out[1] = EBB_SHUFFLE(a, c, 2, 3, 6, 7);
    out[2] = EBB_SHUFFLE(b, d, 0, 1, 4, 5);
    out[3] = EBB_SHUFFLE(b, d, 2, 3, 6, 7);
  }
#pragma GCC unroll 4
  for (int i = 0; i < side; ++i) __builtin_memcpy(to + i * to_row, &out[i], sizeof(Short));
}

/// to[j * to_row + i] = from[i * from_row + j] for a block of rows and columns, by squares, the
/// last of which overlap those before. The sides must not overlap in memory.
template <class T>
void turn(const T* from, Index rows, Index columns, Index from_row, T* to, Index to_row) {
  constexpr Index side = 16 / static_cast<Index>(sizeof(T));
  if (rows < side || columns < side) {
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) to[j * to_row + i] = from[i * from_row + j];
    return;
  }
  for (Index r = 0; r < rows; r += side) {
    const Index i = r + side <= rows ? r : rows - side;
    for (Index c = 0; c < columns; c += side) {
      const Index j = c + side <= columns ? c : columns - side;
      turn_square(from + i * from_row + j, from_row, to + j * to_row + i, to_row);
    }
  }
}

}  // namespace ebb::kernel::detail
