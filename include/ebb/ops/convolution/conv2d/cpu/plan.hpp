/// \file
/// Which way a pass of a convolution goes on the CPU: one pure function of the geometry, the pass,
/// the scalar and the switch, alike for every instruction set, so that all give the same bits.
/// (README.md beside this folder draws the ways.)
#pragma once

#include <ebb/device/isa.hpp>
#include <ebb/ops/convolution/conv2d/algorithm.hpp>
#include <ebb/ops/convolution/conv2d/cpu/image_bands.hpp>

#include <optional>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// What is asked of the plan.
struct ConvQuestion {
  const Conv2dGeometry& g;
  ConvPass pass;
  Index scalar;  ///< bytes of one

  /// Elements of the widest register.
  Index lanes() const { return sum_lanes<char> / scalar; }
  bool forward() const { return pass == ConvPass::forward; }
};

/// Whether a kernel reaches so far beyond the image that tables and frames of its size would be out
/// of proportion: then nearly all of it falls on padding.
inline bool reaches_too_far(const Conv2dGeometry& g) {
  constexpr Index far = 4096;
  const Size2 window = reach(g.kernel, g.dilation);
  return window.height > std::max(far, 4 * g.input.height) ||
         window.width > std::max(far, 4 * g.input.width);
}

inline bool is_depthwise(const Conv2dGeometry& g) {
  return g.groups > 1 && g.group_in() == 1 && g.group_out() == 1;
}

/// Whether a way can compute this pass at all.
inline bool conv2d_can(ConvAlgorithm way, const ConvQuestion& q) {
  using enum ConvAlgorithm;
  const Conv2dGeometry& g = q.g;
  const bool weight = q.pass == ConvPass::grad_weight;
  const bool unit = g.stride == Size2(1) && g.dilation == Size2(1);
  constexpr Index widest = 16;  // which keeps the masks of three_rows.hpp small
  switch (way) {
    case pointwise:
      return !weight && g.kernel == Size2(1) && g.stride == Size2(1) && g.padding == Size2(0) &&
             g.output == g.input && g.groups == 1;
    case depthwise:
      return is_depthwise(g);
    case three_rows:
      return g.kernel.height == 3 && g.kernel.width <= widest && g.stride == Size2(1) &&
             g.dilation.height == 1 && (!weight || (is_depthwise(g) && g.kernel.width == 3));
    case images:
      return !weight && TapPass(g, q.forward()).reasonable();
    case channels:
      return weight || TapPass(g, q.forward()).reasonable();
    case winograd:
      return q.scalar == sizeof(float) && g.kernel == Size2(3) && unit && g.groups == 1 &&
             std::max(g.padding.height, g.padding.width) <= 2;
    case direct:
      return false;
    default:
      return true;
  }
}

/// Whether Winograd's algorithm, where it applies, is worth its transforms. Costs in multiply-adds
/// of one register tile; the constants were fitted to timings on one core (docs/performance.md):
/// a tile takes 36 products in place of 9 * 16, and its transforms cost as much as some 420 for
/// each channel; those of the weights are shared by all tiles.
inline bool winograd_pays(const Conv2dGeometry& g, ConvPass pass) {
  const double in = double(g.in_channels), out = double(g.out_channels);
  const Index down = (g.output.height + 3) / 4, across = (g.output.width + 3) / 4;
  const double tiles = double(g.batch * down * across);
  const double weight = pass == ConvPass::grad_weight ? 1200 : 350;
  const double direct = 9 / 0.9 * double(g.batch * g.output.area()) * in * out;
  return 36 / 0.8 * tiles * in * out + 420 * tiles * (in + out) + weight * in * out < direct;
}

/// Taps of a kernel that fall inside of the image for some output.
inline Index live_taps(const Conv2dGeometry& g) {
  const auto live = [](Index input, Index output, Index kernel, Index stride, Index padding,
                       Index dilation) {
    Index count = 0;
    for (Index k = 0; k < kernel; ++k) {
      const Index shift = k * dilation - padding;  // output o sees o * stride + shift
      const Index first = shift < 0 ? divide_up(-shift, stride) : 0;
      count += first < output && first * stride + shift < input;
    }
    return count;
  };
  return live(g.input.height, g.output.height, g.kernel.height, g.stride.height, g.padding.height,
              g.dilation.height) *
         live(g.input.width, g.output.width, g.kernel.width, g.stride.width, g.padding.width,
              g.dilation.width);
}

/// Whether unfolding pays: other ways pack the weights, which takes as long as some products with
/// them, but only those that fall inside of the image.
inline bool unfolding_pays(const Conv2dGeometry& g) {
  constexpr Index most_rows = 16, many = 64 * 1024, worth = 40;
  const Index rows = g.batch * g.output.area(), area = g.kernel.area();
  return rows <= most_rows && g.group_out() * g.taps() >= many &&
         rows * area <= worth * live_taps(g);
}

/// Whether lines of pixels fill registers well enough for a 1x1 convolution.
inline bool pointwise_pays(const ConvQuestion& q) {
  const Index pixels = q.g.input.area(), width = 2 * q.lanes();
  return 100 * pixels >= 85 * divide_up(pixels, width) * width;
}

/// The way where vectors may run along the channels of the result or along images: along channels
/// where there are enough of them, of the result to fill registers, and of what is summed over to
/// be worth a transposition. Where channels would leave lanes empty, images may not; and the edges
/// of an image see few taps, and few pixels see the same.
inline std::optional<ConvAlgorithm> across_planes(const ConvQuestion& q) {
  const Conv2dGeometry& g = q.g;
  const Index sums = q.forward() ? g.group_out() : g.group_in(), lanes = q.lanes();
  const bool fills = sums > lanes && 4 * sums > 3 * divide_up(sums, lanes) * lanes;
  if (sums < 4 || (q.forward() && g.taps() < (fills ? 32 : 64))) return std::nullopt;
  const ImageBands bands(g, q.forward(), 2 * lanes, q.scalar);
  if ((q.forward() ? !fills : g.kernel.area() > 1) && bands.pays()) return ConvAlgorithm::images;
  if (bands.reasonable()) return ConvAlgorithm::channels;
  return std::nullopt;
}

/// The way that the cost model chooses, Winograd's among them or not.
inline ConvAlgorithm conv2d_best(const ConvQuestion& q, bool may_be_winograd) {
  using enum ConvAlgorithm;
  const Conv2dGeometry& g = q.g;
  if (is_depthwise(g)) return conv2d_can(three_rows, q) ? three_rows : depthwise;
  if (may_be_winograd && conv2d_can(winograd, q) && winograd_pays(g, q.pass)) return winograd;
  if (conv2d_can(pointwise, q) && pointwise_pays(q)) return pointwise;
  if (unfolding_pays(g)) return unfolded;
  if (q.pass == ConvPass::grad_weight)
    return g.group_in() >= 4 && g.group_out() >= 4 ? channels : lines;
  if (const auto way = across_planes(q)) return *way;
  return q.pass == ConvPass::grad_input && conv2d_can(three_rows, q) ? three_rows : lines;
}

/// The way: what is `wanted` wherever it can be, else the cost model's. No images, and kernels out
/// of all proportion, are left to the reference.
inline ConvAlgorithm conv2d_plan(const ConvQuestion& q, std::optional<ConvAlgorithm> wanted) {
  if (q.g.batch == 0 || reaches_too_far(q.g)) return ConvAlgorithm::reference;
  if (wanted && conv2d_can(*wanted, q)) return *wanted;
  return conv2d_best(q, wanted != ConvAlgorithm::direct);
}

/// A pass with all that its layouts and kernels depend on: what the machine and the switch have a
/// say in is decided.
struct Conv2dPlan {
  Conv2dGeometry g;
  ConvPass pass;
  ConvAlgorithm way;
  Isa isa;  ///< whose registers layouts are made for; it has no say in the way

  /// For tensors of T, by the instruction set in use and the switch.
  template <class T>
  static Conv2dPlan of(const Conv2dGeometry& g, ConvPass pass) {
    const int chosen = ebb::detail::ConvSwitch::value().load(std::memory_order_relaxed);
    std::optional<ConvAlgorithm> wanted;
    if (chosen != ebb::detail::ConvSwitch::automatic) wanted = static_cast<ConvAlgorithm>(chosen);
    return {g, pass, conv2d_plan({g, pass, Index{sizeof(T)}}, wanted), ebb::isa()};
  }
  bool forward() const { return pass == ConvPass::forward; }
};

}  // namespace detail

/// How this pass is computed, for tensors of T on the CPU: a function of the geometry and of the
/// switch.
template <class T = float>
ConvAlgorithm conv2d_algorithm(const Conv2dGeometry& g, ConvPass pass) {
  return detail::Conv2dPlan::of<T>(g, pass).way;
}

}  // namespace ebb::kernel
