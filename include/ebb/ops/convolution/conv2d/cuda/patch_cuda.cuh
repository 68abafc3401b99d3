/// \file
/// Convolutions from patches (patch.cuh) on the host: whether one is computed so, and which tiles
/// its results are cut in.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cuda/precision.cuh>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/convolution/conv2d/cuda/patch.cuh>

#include <algorithm>

namespace ebb::inline EBB_ABI::kernel::detail {

/// When patches are worth using. There must be enough `blocks`: with fewer, half of an H100's 132
/// multiprocessors would be idle, while the sums of a product can be cut in pieces. Of a slice of
/// channels at least one in `fill` must be there, because slices are multiplied whole. And the
/// gradient of a weight needs rows that can be copied sixteen bytes at a time (`packed`). Tests
/// lower it.
struct PatchThreshold {
  Index blocks = 66, fill = 2;
  bool packed = true;
};
inline PatchThreshold patch_threshold;

/// Shared memory that a block may take: two of them fit on a multiprocessor of an H100.
inline constexpr std::size_t patch_bytes = 113 * 1024;

/// A convolution of stride 1, which the gradient of its input is, too: from the gradient of its
/// output, channels swapped and taps mirrored, and with what padding is left of the kernel.
struct PatchPass {
  Index batch, summed, results;
  Size2 input, output, before;  ///< `before`: padding above and to the left
  Size2 behind;                 ///< and below and to the right
  bool turned;

  explicit PatchPass(const Conv2dGeometry& g)
      : batch(g.batch),
        summed(g.in_channels),
        results(g.out_channels),
        input(g.input),
        output(g.output),
        before(g.padding),
        behind{g.output.height + g.kernel.height - 1 - g.input.height - g.padding.height,
               g.output.width + g.kernel.width - 1 - g.input.width - g.padding.width},
        turned(false) {}

  PatchPass of_gradient(Size2 kernel) const {
    PatchPass pass = *this;
    std::swap(pass.summed, pass.results), std::swap(pass.input, pass.output);
    pass.before = {kernel.height - 1 - before.height, kernel.width - 1 - before.width};
    pass.behind = {kernel.height - 1 - behind.height, kernel.width - 1 - behind.width};
    pass.turned = !turned;
    return pass;
  }
};

/// Zeros on one side, of an axis that needs so many on either; copies of four elements want four.
struct PatchFrame {
  Size2 margin, cells;  ///< before rows and images; of a row and an image, with them
  bool packed;

  PatchFrame(const PatchPass& p, bool aligned) {
    const Size2 least{std::max(p.before.height, p.behind.height),
                      std::max(p.before.width, p.behind.width)};
    // In a narrow image, a margin of four cells would cost more products than it saves copies.
    packed = aligned && p.input.width % 4 == 0 && p.input.width >= 16;
    margin = {least.height, packed ? (least.width + 3) / 4 * 4 : least.width};
    cells = {p.input.height + margin.height, p.input.width + margin.width};
  }
  /// Cells that `positions` see by K x K taps, and what they take up of each channel.
  Index patch(Index positions, Index K, Index first_column) const {
    return (positions + (K - 1) * cells.width + K - 1 + first_column + 3) / 4 * 4;
  }
  /// Whether four results are neighbours in memory, or outside of the image.
  bool packs_results(const PatchPass& p) const {
    return cells.width % 4 == 0 && p.output.width % 4 == 0;
  }
  PatchImages images(const PatchPass& p, const float* x, Index patch_cells, Index apart) const {
    return {x,
            static_cast<int>(p.batch),
            static_cast<int>(p.summed),
            static_cast<int>(p.input.height),
            static_cast<int>(p.input.width),
            static_cast<int>(margin.width),
            static_cast<int>(margin.height),
            static_cast<int>(margin.height - p.before.height),
            DivMod<int>(cells.width),
            DivMod<int>(cells.height),
            static_cast<int>(patch_cells),
            static_cast<int>(apart),
            packed};
  }
};

/// Whether patches may be used: a kernel of 3 x 3 or 5 x 5, stride 1, no groups, no more padding
/// than there are taps. (And rows must be so short that a patch fits in shared memory.)
inline bool patch_applies(const Conv2dGeometry& g) {
  if (g.kernel != Size2(3) && g.kernel != Size2(5)) return false;
  if (g.stride != Size2(1) || g.dilation != Size2(1) || g.groups != 1) return false;
  const PatchPass p(g);
  const auto fits = [&](Index padding) { return padding >= 0 && padding < g.kernel.height; };
  return fits(p.before.height) && fits(p.before.width) && fits(p.behind.height) &&
         fits(p.behind.width);
}

/// Whether 32 bits count all elements, and all cells.
inline bool patch_counts(const PatchPass& p, Index cells) {
  const Index most =
      std::max({cells, p.batch * p.summed * p.input.area(), p.batch * p.results * p.output.area()});
  return most <= gpu::short_indices - (Index{1} << 16);
}

template <class Engine>
bool run_patch(const PatchPass& p, const float* x, const float* w, float* y,
               const Epilogue<float>& end) {
  const PatchFrame frame(p, gpu::packable(x));
  const Index positions = p.batch * frame.cells.area();
  const Index across = divide_up(p.results, Engine::m);
  const Index blocks = across * divide_up(positions, Engine::n);
  const Index first_column = frame.margin.width - p.before.width;
  const Index cells = frame.patch(Engine::n, Engine::kernel, first_column);
  const Index apart = (cells + 23) / 32 * 32 + 8;
  if (p.summed * patch_threshold.fill < Engine::slice) return false;
  if (blocks < patch_threshold.blocks || !patch_counts(p, positions + cells)) return false;
  const std::size_t bytes = PatchMemory<Engine>::bytes(static_cast<int>(apart));
  if (bytes > patch_bytes) return false;

  const Index row = p.turned ? p.results : p.summed;
  const PatchProblem problem{
      frame.images(p, x, cells, apart),
      {w, static_cast<int>(p.summed), static_cast<int>(p.results),
       gpu::packable(w) && row % 4 == 0},
      {y, end, static_cast<int>(p.output.height), static_cast<int>(p.output.width),
       static_cast<int>(p.results), DivMod<int>(frame.cells.width), DivMod<int>(frame.cells.height),
       static_cast<int>(positions), gpu::packable(y) && frame.packs_results(p)},
      static_cast<int>(first_column),
      DivMod<int>(across)};
  gpu::launch(static_cast<unsigned>(blocks), Engine::threads, bytes, patch_kernel<Engine>, problem);
  return true;
}

/// Runs a pass from patches, or returns false where that does not pay.
template <int K, bool Turned>
bool patch_pass(const PatchPass& p, const float* x, const float* w, float* y,
                const Epilogue<float>& end) {
  const auto on_tensor_cores = [&]<class Words>(Words) {
    if constexpr (K == 3) {
      if (p.results <= 16) return run_patch<PatchTensor<Words, 16, 64, K, Turned>>(p, x, w, y, end);
      if (p.results > 32) return run_patch<PatchTensor<Words, 64, 32, K, Turned>>(p, x, w, y, end);
    }
    return run_patch<PatchTensor<Words, 32, 64, K, Turned>>(p, x, w, y, end);
  };
  switch (cuda::precision()) {
    case cuda::Precision::tf32:
      return on_tensor_cores(Tf32Words{});
    case cuda::Precision::bf16:
      return on_tensor_cores(Bf16Words{});
    default:
      break;
  }
  // With more channels, the large tiles of products spend as much of their time on multiply-adds.
  if (p.results > 32) return false;
  if constexpr (K == 3)
    if (p.results <= 16) return run_patch<PatchMultiplier<16, 256, 4, K, Turned>>(p, x, w, y, end);
  return run_patch<PatchMultiplier<32, 256, 8, K, Turned>>(p, x, w, y, end);
}

/// The forward pass, or where `turned` the gradient of the input, from patches; returns false where
/// it is not done.
template <bool Turned>
bool patch_convolution(const Conv2dGeometry& g, const float* x, const float* w, float* y,
                       const Epilogue<float>& end) {
  if (!patch_applies(g)) return false;
  const PatchPass forward(g), pass = Turned ? forward.of_gradient(g.kernel) : forward;
  return g.kernel == Size2(3) ? patch_pass<3, Turned>(pass, x, w, y, end)
                              : patch_pass<5, Turned>(pass, x, w, y, end);
}

}  // namespace ebb::kernel::detail
