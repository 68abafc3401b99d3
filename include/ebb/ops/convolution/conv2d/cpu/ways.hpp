/// \file
/// The ways of a forward pass and of the gradient of the input, all with the same members:
///  - `packed()`: elements of the weights in the layout of the way; 0 where they are read as they
///    lie;
///  - `pack(w, to)`: writes that layout. It may be kept: for as long as weights stay the same it
///    serves any number of runs, from any number of threads;
///  - `packs_first()`: whether `run` wants it. (A product of matrices can do without: it packs what
///    it needs as it goes.)
///  - `run(source, weights, target, end)`.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu/channels.hpp>
#include <ebb/ops/convolution/conv2d/cpu/depthwise.hpp>
#include <ebb/ops/convolution/conv2d/cpu/images.hpp>
#include <ebb/ops/convolution/conv2d/cpu/lines_backward.hpp>
#include <ebb/ops/convolution/conv2d/cpu/plan.hpp>
#include <ebb/ops/convolution/conv2d/cpu/unfolded.hpp>
#include <ebb/ops/convolution/conv2d/cpu/winograd_passes.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

template <class T>
inline constexpr bool has_tiles = std::is_same_v<T, float> || std::is_same_v<T, double>;

/// Of ways that read the weights as they lie.
template <class T>
struct ReadsInPlace {
  static bool packs_first() { return false; }
  static Index packed() { return 0; }
  static void pack(const T*, T*) {}
};

template <class T>
struct PointwisePass : ReadsInPlace<T> {
  const Conv2dGeometry& g;
  bool forward;

  PointwisePass(const Conv2dGeometry& geometry, bool is_forward)
      : g(geometry), forward(is_forward) {}
  void run(const T* x, MaybePacked<T> w, T* y, const simd::TileEpilogue<T>& end) const {
    conv2d_pointwise(g, forward, x, w.data, y, end);
  }
};

template <class T>
struct LinesPass : ReadsInPlace<T> {
  const Conv2dGeometry& g;

  explicit LinesPass(const Conv2dGeometry& geometry) : g(geometry) {}
  void run(const T* x, MaybePacked<T> w, T* y, const simd::TileEpilogue<T>& end) const {
    conv2d_forward_lines(g, x, w.data, y, end);
  }
};

/// Calls f with the way of a plan, planned in detail; false where there is none but the reference.
template <class T, class F>
bool with_way(const Conv2dPlan& plan, const F& f) {
  using enum ConvAlgorithm;
  const Conv2dGeometry& g = plan.g;
  const bool forward = plan.forward();
  switch (plan.way) {
    case pointwise:
      return f(PointwisePass<T>(g, forward)), true;
    case depthwise:
      return f(DepthwisePass<T>(g, forward)), true;
    case three_rows:
      return f(ThreeRowsPass<T>(g, forward)), true;
    case unfolded:
      return f(Unfolded<T>(g, forward)), true;
    case images:
      return f(ImagePass<T>(g, forward)), true;
    case channels:
      return f(ChannelPass<T>(g, forward)), true;
    case lines:
      if (forward) return f(LinesPass<T>(g)), true;
      return f(LinesGradInput<T>(g)), true;
    case winograd:
      if constexpr (std::is_same_v<T, float>) return f(WinogradPass(g, forward)), true;
      return false;
    default:
      return false;
  }
}

/// Whether what is packed for one plan is what another, of the same weights, reads.
template <class T>
bool same_layout(const Conv2dPlan& a, const Conv2dPlan& b) {
  if (a.way != b.way || a.isa != b.isa || a.pass != b.pass) return false;
  using enum ConvAlgorithm;
  const bool forward = a.forward();
  if (a.way == channels) return ChannelPass<T>(a.g, forward).reads_like({b.g, forward});
  if (a.way == unfolded) return Unfolded<T>(a.g, forward).reads_like({b.g, forward});
  if (a.way == lines && !forward) return LinesGradInput<T>(a.g).reads_like(LinesGradInput<T>(b.g));
  return true;
}

}  // namespace ebb::kernel::detail
