/// \file
/// The greatest element of each window.
#pragma once

#include <ebb/ops/pooling/max_cpu.hpp>
#include <ebb/tape/track.hpp>

#include <concepts>

namespace ebb::inline EBB_ABI {

struct MaxPool2dOptions {
  Size2 kernel = 2;
  Size2 stride = 0;  ///< 0: the kernel
  Size2 padding = 0;
  Size2 dilation = 1;
  bool ceil_mode = false;  ///< let the last window reach beyond the edge
};

/// x (n, c, h, w) -> (n, c, h', w'), h' = floor((h + 2 padding - dilation (kernel - 1) - 1) /
/// stride)
/// + 1 (PyTorch's max_pool2d, ceil mode included). Padding never wins. Of several greatest elements
/// the first one receives the gradient; saved are their positions, one int each.
/// \throws ShapeError when a window does not fit, ValueError on padding above half the kernel.
template <Operand X>
auto max_pool2d(const X& x, const MaxPool2dOptions& options) {
  static_assert(rank_of<X> == 4,
                "ebb::max_pool2d: the input must have rank 4 (batch, channels, "
                "height, width); use ebb::reshape first");
  using Tens = tensor_of<X>;
  using Device = device_of<X>;
  const auto g = kernel::pool2d_geometry("max_pool2d", x.shape(), options.kernel, options.stride,
                                         options.padding, options.dilation, options.ceil_mode);
  const Shape<4> shape{x.shape()[0], x.shape()[1], g.y.out, g.x.out};
  Tens y(shape);
  if (g.planes == 0) return track_empty("max_pool2d", y, x);
  Tensor<int, 4, Device> argmax;
  if constexpr (is_var<X>)
    if (x.wants_grad()) argmax = Tensor<int, 4, Device>(shape);
  max_pool2d_forward(Device{}, g, value(x).view(), y.mut(),
                     argmax.defined() ? argmax.mut() : View<int, 4>{});
  return track(
      "max_pool2d", y,
      [g, argmax, dx = sink(x)](const auto& dy) {
        if (dx) max_pool2d_backward(Device{}, g, argmax.view(), dy.view(), dx.into());
      },
      x);
}

/// Square windows side by side: `max_pool2d(x, 2)` halves height and width.
template <Operand X, std::integral I>
auto max_pool2d(const X& x, I kernel) {
  return max_pool2d(x, MaxPool2dOptions{.kernel = kernel});
}

}  // namespace ebb
