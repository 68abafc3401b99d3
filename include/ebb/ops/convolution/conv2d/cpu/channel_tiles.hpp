/// \file
/// For every instruction set, the register tile whose vectors run along channels, and the
/// transpositions from and to images; and the choice among them.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/isa.hpp>
#include <ebb/kit/product/tile.hpp>

#include <utility>

namespace ebb::inline EBB_ABI::kernel::simd {

/// What a tile sums over: `outer` steps of strides a_outer and b_outer, and in each the `inner`
/// pairs of offsets.
struct ChannelSum {
  Index outer, a_outer, b_outer;
  Index inner;
  const Index *a_offset, *b_offset;
};

/// The functions of one instruction set for scalar T; what they compute stands in channels.inl.
template <class T>
struct ChannelTiles {
  static constexpr int most_rows = 8, most_lanes = 16;

  using Run = void (*)(const ChannelSum& sum, const T* const* a, const T* b, T* const* c,
                       const InRegisters<T>& end, Index repeat);
  struct Tile {
    Index rows = 0;
    Run any = nullptr, nine = nullptr;  ///< for the nine taps of a 3x3 kernel, unrolled

    void run(const ChannelSum& sum, const T* const* a, const T* b, T* const* c,
             const InRegisters<T>& end, Index repeat = 1) const {
      (sum.inner == 9 ? nine : any)(sum, a, b, c, end, repeat);
    }
  };

  int lanes = 0;               ///< elements of a register
  Tile slim[2] = {}, wide[2];  ///< one and two registers wide: tall ones, and low ones
  void (*to_planes)(const T* sums, Index stride, Index pixels, Index channels, T* y, Index y_stride,
                    const InRegisters<T>& end) = nullptr;
  typename Tiles<T>::Transpose from_planes = nullptr;

  int width() const { return 2 * lanes; }
  /// The tile for the next of `rows` rows.
  const Tile& tile(Index rows, Index columns) const {
    const Tile* const tiles = columns > lanes ? wide : slim;
    const Index tall = tiles[0].rows, low = tiles[1].rows;
    return rows <= low || (rows > tall && rows <= 2 * low) ? tiles[1] : tiles[0];
  }
};

#define EBB_PER_ISA <ebb/ops/convolution/conv2d/cpu/channels.inl>
#include <ebb/device/simd/per_isa.inl>

/// The functions of the instruction set in use.
template <class T>
ChannelTiles<T> channel_tiles() {
#if EBB_X86
  if (isa() == Isa::avx512) return avx512::channel_tiles<T>();
  if (isa() == Isa::avx2) return avx2::channel_tiles<T>();
#endif
  return portable::channel_tiles<T>();
}

}  // namespace ebb::kernel::simd
