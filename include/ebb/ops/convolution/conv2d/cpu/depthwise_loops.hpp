/// \file
/// For every instruction set, the loops of depthwise convolution over a plane, and the choice among
/// them.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/isa.hpp>
#include <ebb/ops/convolution/conv2d/cpu/channel_tiles.hpp>

namespace ebb::inline EBB_ABI::kernel::simd {

/// The outputs of a plane, and where in its source each tap is seen.
struct DepthwisePlane {
  Index taps = 0;
  const Index* offset = nullptr;
  Index pitch = 0;  ///< from one row of the source to the next
  Index rows = 0, columns = 0;
  /// For three rows of taps: planes of the source, `apart` elements from each other, whose sum is
  /// taken, with `above` rows of zeros on top of their own `height`; and masks of columns
  /// (three_rows.hpp), `mask_at` so many bytes for each step along a row.
  Index channels = 1, apart = 0, above = 0, height = 0;
  const unsigned char* mask = nullptr;
  const Index* mask_at = nullptr;
};

/// Taps whose dot products are taken together: those of a 3x3 kernel.
inline constexpr int depthwise_taps = 9;

/// The functions of one instruction set for scalar T; what they compute stands in depthwise.inl.
template <class T>
struct DepthwiseLoops {
  int lanes = 0;
  void (*copy_rows)(const T* from, Index rows, Index columns, Index from_pitch, T* to,
                    Index to_pitch) = nullptr;
  using Plane = void (*)(const DepthwisePlane& plane, const T* w, const T* source, T* y,
                         const InRegisters<T>& end);
  Plane plane[3] = {};  ///< [v] is 2^v registers wide
  Plane three[2] = {};  ///< the same for three rows of taps, one below the other
  /// [1] is for the nine taps of a 3x3 kernel whose rows are one below the other.
  void (*dots[2])(const DepthwisePlane& plane, const T* dy, Index dy_pitch, const T* source,
                  T* sums) = {};
};

#define EBB_PER_ISA <ebb/ops/convolution/conv2d/cpu/depthwise.inl>
#include <ebb/device/simd/per_isa.inl>

/// The functions of the instruction set in use.
template <class T>
DepthwiseLoops<T> depthwise_loops() {
#if EBB_X86
  if (isa() == Isa::avx512) return avx512::depthwise_loops<T>();
  if (isa() == Isa::avx2) return avx2::depthwise_loops<T>();
#endif
  return portable::depthwise_loops<T>();
}

}  // namespace ebb::kernel::simd
