/// \file
/// Margins around a tensor.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/ops/shape/pad/cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

struct PadOptions {
  PadMode mode = PadMode::constant;
  double value = 0;  ///< of a constant margin
};

/// x with margins, given as {before, after} for every axis from the first to the last:
/// `pad(x, {{{0, 0}, {0, 0}, {1, 1}, {2, 2}}})` puts one row above and below an image and two
/// columns left and right. The modes are PyTorch's.
/// \throws ShapeError when a margin is negative, or wider than there is image to reflect.
template <Operand X>
auto pad(const X& x, const Margins<rank_of<X>>& margins, const PadOptions& options = {}) {
  static_assert(rank_of<X> >= 1, "ebb::pad: a scalar has no axes");
  using Device = device_of<X>;
  const auto g = kernel::PadGeometry<rank_of<X>>::of(x.shape(), margins, options.mode);
  tensor_of<X> y(g.to);
  pad_forward(Device{}, g, static_cast<scalar_of<X>>(options.value), value(x).view(), y.mut());
  return track(
      "pad", y,
      [g, dx = sink(x)](const auto& dy) {
        if (dx) pad_backward(Device{}, g, dy.view(), dx.into());
      },
      x);
}

/// x (..., h, w) with `margin.height` rows above and below and `margin.width` columns on either
/// side.
template <Operand X>
auto pad2d(const X& x, Size2 margin, const PadOptions& options = {}) {
  constexpr int rank = rank_of<X>;
  static_assert(rank >= 2, "ebb::pad2d: an image has two axes");
  Margins<rank> margins;
  margins.axis[rank - 2] = {margin.height, margin.height};
  margins.axis[rank - 1] = {margin.width, margin.width};
  return pad(x, margins, options);
}

}  // namespace ebb
