/// \file
/// The transforms of Winograd's minimal filtering F(4x4, 3x3): Lavin & Gray, "Fast algorithms for
/// convolutional neural networks", CVPR 2016. A 4x4 tile of outputs is a sum over channels of
///
///     y = A^T [ (G w G^T) * (B^T d B) ] A
///
/// with d the 6x6 pixels it sees, w the 3x3 weights, and * elementwise: 36 products in place of
/// 144. The three matrices evaluate polynomials at five points and at infinity. The gradients use
/// their adjoints: that of the product is A dy A^T, so dw = G^T [ (A dy A^T) * (B^T d B) ] G.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/device/isa.hpp>
#include <ebb/kit/product/tile.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::kernel::simd {

/// The points 0, ±a, ±b and infinity. The rounding error depends on them: with 5/8 and 3/2, which
/// are exact in binary, it is half of that with the textbook's 1 and 2 (and some five times that of
/// a direct sum); tests/oracle/winograd.py measures it.
struct WinogradPoints {
  static constexpr float a = 0.625f, b = 1.5f;
  static constexpr float a2 = a * a, a3 = a2 * a, b2 = b * b, b3 = b2 * b;
  static constexpr float sum = a2 + b2, product = a2 * b2;
  /// 1 / product over the other points of their distance.
  static constexpr float at_0 = 1 / product, at_a = 1 / (2 * a2 * (a2 - b2)),
                         at_b = 1 / (2 * b2 * (b2 - a2));
};

/// The transforms for one instruction set. "Pixels" hold `lanes` channels each, `width` of them to
/// a row; "points" are the 36 elements of a transformed tile, `point` elements apart.
struct WinogradTransforms {
  int lanes;

  /// `count` elements of each of `live` channels, `plane` apart: element p to pixels[place[p]].
  void (*gather_channels)(const float* image, Index plane, Index live, const Index* place,
                          Index count, float* pixels);
  /// And back, with an epilogue whose first channel is the first of these.
  void (*scatter_channels)(const float* pixels, const Index* place, Index count, Index live,
                           const InRegisters<float>& end, float* image, Index plane);
  /// v = B^T d B for `count` tiles in a row, of 6x6 pixels and 4 apart; `step` from tile to tile.
  void (*input_tiles)(const float* pixels, Index width, Index count, float* v, Index point,
                      Index step);
  /// m = A dy A^T for tiles of 4x4 pixels.
  void (*slope_tiles)(const float* pixels, Index width, Index count, float* m, Index point,
                      Index step);
  /// y = A^T m A.
  void (*output_tiles)(const float* m, Index point, Index step, Index count, float* pixels,
                       Index width);
  /// u = G w G^T for `live` channels `out` elements apart; `turned` reads the taps backwards.
  void (*weight_tile)(const float* w, Index out, Index live, bool turned, float* u, Index point);
  /// w (+)= G^T u G, with u the sum of `splits` parts `split` elements apart.
  void (*weight_slope_tile)(const float* u, Index point, Index splits, Index split, Index live,
                            bool add, float* w, Index out);
};

#define EBB_PER_ISA <ebb/ops/convolution/conv2d/cpu/winograd.inl>
#include <ebb/device/simd/per_isa.inl>

/// The transforms of the instruction set in use.
inline WinogradTransforms winograd_transforms() {
#if EBB_X86
  if (isa() == Isa::avx512) return avx512::winograd::transforms();
  if (isa() == Isa::avx2) return avx2::winograd::transforms();
#endif
  return portable::winograd::transforms();
}

}  // namespace ebb::kernel::simd
