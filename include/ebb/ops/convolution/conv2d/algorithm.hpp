/// \file
/// Which kernels compute a convolution: a small cost model, and a switch that overrides it.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/ops/convolution/conv2d/geometry.hpp>

#include <atomic>
#include <cstdlib>
#include <string_view>

namespace ebb::inline EBB_ABI {

/// Ways to compute a convolution.
///  - `reference`: the plain loops of reference.hpp.
///  - `direct`: sums over taps as the definition has them, for every geometry.
///  - `pointwise`: direct, for a 1x1 kernel of stride 1 without padding or groups: one product of
///    matrices per image.
///  - `depthwise`: direct, for groups of one input and one output channel.
///  - `winograd`: fewer multiplications for 3x3 kernels of stride 1 (winograd.hpp).
enum class ConvAlgorithm { reference, direct, pointwise, depthwise, winograd };

/// The three linear maps that a convolution and its gradients are made of.
enum class ConvPass { forward, grad_input, grad_weight };

inline const char* to_string(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::reference:
      return "reference";
    case ConvAlgorithm::direct:
      return "direct";
    case ConvAlgorithm::pointwise:
      return "pointwise";
    case ConvAlgorithm::depthwise:
      return "depthwise";
    case ConvAlgorithm::winograd:
      return "winograd";
  }
  return "";
}

namespace detail {

/// What the switch asks for; `automatic` stands for the cost model.
struct ConvSwitch {
  static constexpr int automatic = -1;

  static int from_environment() {
    const char* wanted = std::getenv("EBB_CONV");
    if (wanted == nullptr || *wanted == '\0') return automatic;
    for (const ConvAlgorithm a :
         {ConvAlgorithm::reference, ConvAlgorithm::direct, ConvAlgorithm::pointwise,
          ConvAlgorithm::depthwise, ConvAlgorithm::winograd})
      if (std::string_view(wanted) == to_string(a)) return static_cast<int>(a);
    throw ValueError(message("EBB_CONV=", wanted,
                             ": the choices are reference, direct, pointwise, depthwise and "
                             "winograd; unset the variable to let the library choose"));
  }
  static std::atomic<int>& value() {
    static std::atomic<int> chosen{from_environment()};
    return chosen;
  }
};

/// Whether an algorithm can compute this convolution at all.
inline bool conv2d_applies(ConvAlgorithm algorithm, const Conv2dGeometry& g) {
  const bool unit = g.stride == Size2(1) && g.dilation == Size2(1);
  switch (algorithm) {
    case ConvAlgorithm::pointwise:
      return g.kernel == Size2(1) && g.stride == Size2(1) && g.padding == Size2(0) &&
             g.output == g.input && g.groups == 1;
    case ConvAlgorithm::depthwise:
      return g.groups > 1 && g.group_in() == 1 && g.group_out() == 1;
    case ConvAlgorithm::winograd:
      return g.kernel == Size2(3) && unit && g.groups == 1 && g.batch > 0 &&
             std::max(g.padding.height, g.padding.width) <= 2;
    default:
      return true;
  }
}

/// Whether a kernel reaches so far beyond the image that tables and frames of its size would be out
/// of proportion: then nearly all of it falls on padding.
inline bool reaches_too_far(const Conv2dGeometry& g) {
  constexpr Index far = 4096;
  const Size2 window = reach(g.kernel, g.dilation);
  return window.height > std::max(far, 4 * g.input.height) ||
         window.width > std::max(far, 4 * g.input.width);
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

}  // namespace detail

/// How this pass is computed: a pure function of the geometry and of the switch. What the switch
/// asks for is done wherever it applies; `direct` there means whatever is not Winograd's. No
/// images, and kernels out of all proportion, are left to the reference.
inline ConvAlgorithm conv2d_algorithm(const Conv2dGeometry& g, ConvPass pass) {
  using enum ConvAlgorithm;
  if (g.batch == 0 || detail::reaches_too_far(g)) return reference;
  const int chosen = detail::ConvSwitch::value().load(std::memory_order_relaxed);
  if (chosen != detail::ConvSwitch::automatic && chosen != static_cast<int>(direct) &&
      detail::conv2d_applies(static_cast<ConvAlgorithm>(chosen), g))
    return static_cast<ConvAlgorithm>(chosen);
  if (detail::conv2d_applies(pointwise, g)) return pointwise;
  if (detail::conv2d_applies(depthwise, g)) return depthwise;
  if (chosen != static_cast<int>(direct) && detail::conv2d_applies(winograd, g) &&
      detail::winograd_pays(g, pass))
    return winograd;
  return direct;
}

/// Overrides the cost model for the whole process, wherever the algorithm applies. So does the
/// environment variable EBB_CONV: `EBB_CONV=direct` turns Winograd's algorithm off.
inline void set_conv2d_algorithm(ConvAlgorithm algorithm) {
  detail::ConvSwitch::value().store(static_cast<int>(algorithm), std::memory_order_relaxed);
}

/// Lets the cost model choose again.
inline void reset_conv2d_algorithm() {
  detail::ConvSwitch::value().store(detail::ConvSwitch::automatic, std::memory_order_relaxed);
}

}  // namespace ebb
