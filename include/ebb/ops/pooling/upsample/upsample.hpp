/// \file
/// Images enlarged (or shrunk): nearest and bilinear.
#pragma once

#include <ebb/ops/pooling/upsample/cpu.hpp>
#include <ebb/tape/track.hpp>

#include <concepts>

namespace ebb::inline EBB_ABI {

namespace detail {

template <Operand X>
auto upsample_nearest2d(const X& x, const kernel::UpsampleGeometry& g) {
  using Device = device_of<X>;
  tensor_of<X> y(Shape<4>{x.shape()[0], x.shape()[1], g.y.out, g.x.out});
  if (g.planes == 0) return track_empty("upsample_nearest2d", y, x);
  upsample_nearest_forward(Device{}, g, value(x).view(), y.mut());
  return track(
      "upsample_nearest2d", y,
      [g, dx = sink(x)](const auto& dy) {
        if (dx) upsample_nearest_backward(Device{}, g, dy.view(), dx.into());
      },
      x);
}

template <Operand X>
auto upsample_bilinear2d(const X& x, const kernel::UpsampleGeometry& g) {
  using Device = device_of<X>;
  tensor_of<X> y(Shape<4>{x.shape()[0], x.shape()[1], g.y.out, g.x.out});
  if (g.planes == 0) return track_empty("upsample_bilinear2d", y, x);
  upsample_bilinear_forward(Device{}, g, value(x).view(), y.mut());
  return track(
      Op("upsample_bilinear2d", 4 * g.size()), y,
      [g, dx = sink(x)](const auto& dy) {
        if (dx) upsample_bilinear_backward(Device{}, g, dy.view(), dx.into());
      },
      x);
}

}  // namespace detail

/// x (n, c, h, w) -> (n, c, size.height, size.width): every pixel is the nearest one of x, at
/// floor(i h / size.height), as PyTorch's interpolate(mode="nearest").
/// \throws ShapeError, ValueError on an empty image or an empty result.
template <Operand X>
auto upsample_nearest2d(const X& x, Size2 size) {
  static_assert(rank_of<X> == 4,
                "ebb::upsample_nearest2d: the input must be (batch, channels, height, width)");
  return detail::upsample_nearest2d(
      x, kernel::UpsampleGeometry::of("upsample_nearest2d", x.shape(), size, false));
}

/// The same by a factor: `upsample_nearest2d(x, Scale2{2})`.
template <Operand X, std::same_as<Scale2> Scale>
auto upsample_nearest2d(const X& x, Scale scale) {
  static_assert(rank_of<X> == 4,
                "ebb::upsample_nearest2d: the input must be (batch, channels, height, width)");
  return detail::upsample_nearest2d(
      x, kernel::UpsampleGeometry::of("upsample_nearest2d", x.shape(), scale, false));
}

/// x (n, c, h, w) -> (n, c, size.height, size.width): the weighted mean of the four nearest pixels,
/// as PyTorch's interpolate(mode="bilinear"). `align_corners` takes pixels as points, so that the
/// corners of both images coincide, instead of as small areas.
/// \throws ShapeError, ValueError on an empty image or an empty result.
template <Operand X>
auto upsample_bilinear2d(const X& x, Size2 size, bool align_corners = false) {
  static_assert(rank_of<X> == 4,
                "ebb::upsample_bilinear2d: the input must be (batch, channels, height, width)");
  return detail::upsample_bilinear2d(
      x, kernel::UpsampleGeometry::of("upsample_bilinear2d", x.shape(), size, align_corners));
}

/// The same by a factor: `upsample_bilinear2d(x, Scale2{1.5})`.
template <Operand X, std::same_as<Scale2> Scale>
auto upsample_bilinear2d(const X& x, Scale scale, bool align_corners = false) {
  static_assert(rank_of<X> == 4,
                "ebb::upsample_bilinear2d: the input must be (batch, channels, height, width)");
  return detail::upsample_bilinear2d(
      x, kernel::UpsampleGeometry::of("upsample_bilinear2d", x.shape(), scale, align_corners));
}

}  // namespace ebb
