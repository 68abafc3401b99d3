/// \file
/// Register tiles for every instruction set, and the choice among them.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/simd/registers.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/epilogue_tile.hpp>

namespace ebb::inline EBB_ABI::kernel::simd {

using detail::array_size;

/// The tiles of one instruction set for scalar T; what they compute stands in
/// tile.inl.
template <class T>
struct Tiles {
  static constexpr int most_rows = 12, most_vectors = 3, most_lanes = 16;
  /// Bounds for buffers on the stack.
  static constexpr int most_columns = most_vectors * most_lanes, most_dot = 16;

  using Broadcast = void (*)(Index depth, const T* const* a, Index step, const T* b,
                             const Index* offset, T* c, Index c_stride, bool add);
  using Even = void (*)(Index depth, const T* a, Index a_row, Index a_step, const T* b, Index b_row,
                        T* c, Index c_row, bool add);
  using Dot = void (*)(Index depth, const T* const* a, const T* const* b, T* c);

  using DotBlock = void (*)(Index m, Index n, Index depth, Index ahead, const T* a, Index a_row,
                            const T* b, Index b_row, T* c, Index c_row, bool add, T* panels);

  using Copy = void (*)(Index depth, Index columns, const T* b, Index row, Index width,
                        Index stride, T* panels);

  using Transpose = void (*)(const T* y, Index y_stride, Index pixels, Index channels, T* to,
                             Index stride);

  using Combine = void (*)(Index terms, const T* weight, Index apart, const T* rows, Index stride,
                           Index n, T* to);

  int lanes = 0;                           ///< elements of a register
  int rows = 0;                            ///< of a wide broadcast tile
  int vectors = 0;                         ///< registers in the widest one
  Broadcast broadcast[most_vectors] = {};  ///< [v - 1] is v registers wide
  Even wide[most_vectors] = {};            ///< the same for rows evenly apart
  /// And with more rows and fewer registers in each: for products whose
  /// width is a small power of two, which three registers would not divide.
  int tall_rows = 0, tall_vectors = 0;
  Even tall[2] = {};  ///< [v - 1] is v registers wide
  Even slim[2] = {};  ///< [r - 1] has r rows, each of four registers
  int dot_rows = 0, dot_columns = 0;
  Dot dot = nullptr;
  Combine combine_rows = nullptr;
  Copy copy_panels = nullptr;  ///< for widths of whole registers
  Transpose from_planes = nullptr;
  DotBlock dot_block = nullptr;   ///< by the dot tile
  DotBlock thin_block = nullptr;  ///< by a dot tile of two rows, for one or two rows in all

  int columns() const { return lanes * vectors; }
};

/// How many registers tiles take: as many as an instruction set has, whose registers are so wide.
struct TileSizes {
  int rows, vectors;            ///< of the largest wide broadcast tile
  int tall_rows, tall_vectors;  ///< of the largest tall one
  int dot_rows, dot_columns;    ///< of the dot tile
  int thin_columns;             ///< of the dot tile of two rows

  static constexpr TileSizes of(int bytes) {
    return bytes == 64   ? TileSizes{8, 3, 12, 2, 4, 4, 8}
           : bytes == 32 ? TileSizes{4, 3, 6, 2, 4, 3, 6}
                         : TileSizes{4, 2, 4, 2, 4, 2, 4};
  }
};

#define EBB_PER_ISA <ebb/kit/product/tile.inl>
#include <ebb/device/simd/per_isa.inl>

/// The tiles of the instruction set in use.
template <class T>
Tiles<T> tiles() {
#if EBB_X86
  if (isa() == Isa::avx512) return avx512::tiles<T>();
  if (isa() == Isa::avx2) return avx2::tiles<T>();
#endif
  return portable::tiles<T>();
}

EBB_COMPILED(Tiles<float> tiles<float>())
EBB_COMPILED(Tiles<double> tiles<double>())

}  // namespace ebb::kernel::simd
