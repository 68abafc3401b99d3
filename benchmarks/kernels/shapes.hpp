/// \file
/// The shapes that kernels are measured on, by ebb's programs and by their peers.
#pragma once

namespace bench {

struct ConvShape {
  const char* name;
  long batch, in, height, width, out, kernel, stride, padding, groups;

  long out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  long out_width() const { return (width + 2 * padding - kernel) / stride + 1; }

  /// Taps that fall into the image, of one row or column of outputs: padding is no work.
  static long taps_inside(long size, long outputs, long kernel, long stride, long padding) {
    long taps = 0;
    for (long o = 0; o < outputs; ++o)
      for (long k = 0; k < kernel; ++k) {
        const long at = o * stride + k - padding;
        taps += at >= 0 && at < size;
      }
    return taps;
  }
  /// Floating-point operations of a direct convolution, the same for all three passes.
  double flops() const {
    const auto taps =
        static_cast<double>(taps_inside(height, out_height(), kernel, stride, padding) *
                            taps_inside(width, out_width(), kernel, stride, padding));
    return 2.0 * static_cast<double>(batch * out * (in / groups)) * taps;
  }
  /// Bytes that must be moved at least: input, weight and output once each.
  double bytes() const {
    return 4.0 *
           static_cast<double>(batch * in * height * width + out * (in / groups) * kernel * kernel +
                               batch * out * out_height() * out_width());
  }
};

inline constexpr ConvShape conv_shapes[] = {
    {"3x3, 64x1x28x28 -> 16", 64, 1, 28, 28, 16, 3, 1, 1, 1},
    {"3x3, 64x16x28x28 -> 32", 64, 16, 28, 28, 32, 3, 1, 1, 1},
    {"3x3, 32x64x28x28 -> 64", 32, 64, 28, 28, 64, 3, 1, 1, 1},
    {"3x3, 32x256x7x7 -> 256", 32, 256, 7, 7, 256, 3, 1, 1, 1},
    {"1x1, 32x64x28x28 -> 128", 32, 64, 28, 28, 128, 1, 1, 0, 1},
    {"7x7 stride 2, 8x3x224x224 -> 64", 8, 3, 224, 224, 64, 7, 2, 3, 1},
    {"3x3 depthwise, 32x64x28x28", 32, 64, 28, 28, 64, 3, 1, 1, 64},
    {"3x3, 1x512x1x1 -> 512", 1, 512, 1, 1, 512, 3, 1, 1, 1},
    {"3x3, 2x512x2x2 -> 512", 2, 512, 2, 2, 512, 3, 1, 1, 1},
    {"3x3, 32x512x1x1 -> 512", 32, 512, 1, 1, 512, 3, 1, 1, 1},
    {"3x3, 32x512x2x2 -> 512", 32, 512, 2, 2, 512, 3, 1, 1, 1},
};

/// The convolutions of a ResNet-18 for small images, at batch 1 and 28x28 pixels, and how many
/// there are of each.
struct LayerShape {
  ConvShape conv;
  long count;
};
inline constexpr LayerShape resnet18_shapes[] = {
    {{"3x3, 1x1x28x28 -> 64", 1, 1, 28, 28, 64, 3, 1, 1, 1}, 1},
    {{"3x3, 1x64x28x28 -> 64", 1, 64, 28, 28, 64, 3, 1, 1, 1}, 4},
    {{"3x3 stride 2, 1x64x28x28 -> 128", 1, 64, 28, 28, 128, 3, 2, 1, 1}, 1},
    {{"1x1 stride 2, 1x64x28x28 -> 128", 1, 64, 28, 28, 128, 1, 2, 0, 1}, 1},
    {{"3x3, 1x128x14x14 -> 128", 1, 128, 14, 14, 128, 3, 1, 1, 1}, 3},
    {{"3x3 stride 2, 1x128x14x14 -> 256", 1, 128, 14, 14, 256, 3, 2, 1, 1}, 1},
    {{"1x1 stride 2, 1x128x14x14 -> 256", 1, 128, 14, 14, 256, 1, 2, 0, 1}, 1},
    {{"3x3, 1x256x7x7 -> 256", 1, 256, 7, 7, 256, 3, 1, 1, 1}, 3},
    {{"3x3 stride 2, 1x256x7x7 -> 512", 1, 256, 7, 7, 512, 3, 2, 1, 1}, 1},
    {{"1x1 stride 2, 1x256x7x7 -> 512", 1, 256, 7, 7, 512, 1, 2, 0, 1}, 1},
    {{"3x3, 1x512x4x4 -> 512", 1, 512, 4, 4, 512, 3, 1, 1, 1}, 3},
};

/// c (m, n) = a (m, k) b (k, n), where a or b may be stored transposed.
struct GemmShape {
  const char* name;
  bool transposed_a, transposed_b;
  long m, n, k;

  double flops() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n * k); }
  double bytes() const { return 4.0 * static_cast<double>(m * k + k * n + m * n); }
};

inline constexpr GemmShape gemm_shapes[] = {
    {"dense 25088 -> 64, batch 64: y", false, true, 64, 64, 25088},
    {"the same: dW", true, false, 64, 25088, 64},
    {"the same: dx", false, false, 64, 25088, 64},
    {"512 x 512 x 512", false, false, 512, 512, 512},
    {"512 x 512 x 512, a transposed", true, false, 512, 512, 512},
    {"512 x 512 x 512, b transposed", false, true, 512, 512, 512},
    {"dense 4096 -> 4096, batch 1", false, true, 1, 4096, 4096},
    {"dense 4096 -> 4096, batch 4", false, true, 4, 4096, 4096},
};

}  // namespace bench
