/// \file
/// The mean of each window.
#pragma once

#include <ebb/ops/pooling/avg_cpu.hpp>
#include <ebb/tape/track.hpp>

#include <concepts>

namespace ebb::inline EBB_ABI {

struct AvgPool2dOptions {
  Size2 kernel = 2;
  Size2 stride = 0;  ///< 0: the kernel
  Size2 padding = 0;
  bool ceil_mode = false;         ///< let the last window reach beyond the edge
  bool count_include_pad = true;  ///< count the zeros of the padding in the mean
  Index divisor_override = 0;     ///< divide by this instead of a count; 0: do not
};

/// x (n, c, h, w) -> (n, c, h', w'), h' = floor((h + 2 padding - kernel) / stride) + 1 (PyTorch's
/// avg_pool2d, ceil mode included). Saves nothing but sizes.
/// \throws ShapeError when a window does not fit, ValueError on padding above half the kernel.
template <Operand X>
auto avg_pool2d(const X& x, const AvgPool2dOptions& options) {
  static_assert(rank_of<X> == 4,
                "ebb::avg_pool2d: the input must have rank 4 (batch, channels, "
                "height, width); use ebb::reshape first");
  using Device = device_of<X>;
  auto g = kernel::pool2d_geometry("avg_pool2d", x.shape(), options.kernel, options.stride,
                                   options.padding, 1, options.ceil_mode);
  if (options.divisor_override < 0)
    throw ValueError(message("avg_pool2d: divisor_override is ", options.divisor_override,
                             "; it must be positive, or 0 for the count of the window"));
  g.count_include_pad = options.count_include_pad;
  g.divisor = options.divisor_override;
  tensor_of<X> y(Shape<4>{x.shape()[0], x.shape()[1], g.y.out, g.x.out});
  if (g.planes == 0) return track_empty("avg_pool2d", y, x);
  avg_pool2d_forward(Device{}, g, value(x).view(), y.mut());
  return track(
      "avg_pool2d", y,
      [g, dx = sink(x)](const auto& dy) {
        if (dx) avg_pool2d_backward(Device{}, g, dy.view(), dx.into());
      },
      x);
}

/// Square windows side by side: `avg_pool2d(x, 2)` halves height and width.
template <Operand X, std::integral I>
auto avg_pool2d(const X& x, I kernel) {
  return avg_pool2d(x, AvgPool2dOptions{.kernel = kernel});
}

}  // namespace ebb
