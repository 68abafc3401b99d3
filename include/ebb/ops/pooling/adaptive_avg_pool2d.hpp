/// \file
/// Means of as many windows as are asked for.
#pragma once

#include <ebb/ops/pooling/avg_cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {
template <Operand X>
auto adaptive_avg_pool2d(const char* op, const X& x, Size2 size) {
  static_assert(rank_of<X> == 4,
                "ebb::adaptive_avg_pool2d, ebb::global_avg_pool2d: the input must "
                "have rank 4 (batch, channels, height, width)");
  using Device = device_of<X>;
  const auto g = kernel::AdaptivePoolGeometry::of(op, x.shape(), size);
  tensor_of<X> y(Shape<4>{x.shape()[0], x.shape()[1], size.height, size.width});
  if (g.planes == 0) return track_empty(op, y, x);
  adaptive_avg_pool2d_forward(Device{}, g, value(x).view(), y.mut());
  return track(
      op, y,
      [g, dx = sink(x)](const auto& dy) {
        if (dx) adaptive_avg_pool2d_backward(Device{}, g, dy.view(), dx.into());
      },
      x);
}
}  // namespace detail

/// x (n, c, h, w) -> (n, c, size.height, size.width), whatever h and w are: window i of n covers
/// [floor(i h / n), ceil((i + 1) h / n)), as in PyTorch.
template <Operand X>
auto adaptive_avg_pool2d(const X& x, Size2 size) {
  return detail::adaptive_avg_pool2d("adaptive_avg_pool2d", x, size);
}

/// x (n, c, h, w) -> (n, c, 1, 1): the mean of every plane. A layer; `flatten` makes (n, c) of it.
/// Lin, Chen & Yan, "Network in network", ICLR 2014.
struct GlobalAvgPool2d {
  static constexpr const char* name = "global_avg_pool2d";
  template <Operand X>
  auto operator()(const X& x) const {
    return detail::adaptive_avg_pool2d(name, x, 1);
  }
};
inline constexpr GlobalAvgPool2d global_avg_pool2d;

}  // namespace ebb
