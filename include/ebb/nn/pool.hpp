/// \file
/// Pooling layers.
#pragma once

#include <ebb/ops/pooling/adaptive_avg_pool2d.hpp>
#include <ebb/ops/pooling/avg_pool2d.hpp>
#include <ebb/ops/pooling/max_pool2d.hpp>

namespace ebb::inline EBB_ABI::nn {

struct MaxPoolOptions {
  Size2 stride = 0;  ///< 0: the kernel
  Size2 padding = 0;
  Size2 dilation = 1;
  bool ceil_mode = false;
};

/// The greatest element of each window. `nn::MaxPool2d<>{2}` halves height and width.
template <class T = float, class Device = Cpu>
struct MaxPool2d {
  MaxPool2dOptions options;

  explicit MaxPool2d(Size2 kernel, MaxPoolOptions o = {})
      : options{kernel, o.stride, o.padding, o.dilation, o.ceil_mode} {}

  /// The same on another device: `to<Cuda>(net)`.
  template <class D>
  explicit MaxPool2d(const MaxPool2d<T, D>& other) : options(other.options) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return max_pool2d(x, options);
  }
};

struct AvgPoolOptions {
  Size2 stride = 0;  ///< 0: the kernel
  Size2 padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  Index divisor_override = 0;  ///< 0: none
};

/// The mean of each window.
template <class T = float, class Device = Cpu>
struct AvgPool2d {
  AvgPool2dOptions options;

  explicit AvgPool2d(Size2 kernel, AvgPoolOptions o = {})
      : options{kernel, o.stride, o.padding, o.ceil_mode, o.count_include_pad, o.divisor_override} {
  }

  /// The same on another device: `to<Cuda>(net)`.
  template <class D>
  explicit AvgPool2d(const AvgPool2d<T, D>& other) : options(other.options) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return avg_pool2d(x, options);
  }
};

/// Means of as many windows as `size` asks for, whatever the image's size.
template <class T = float, class Device = Cpu>
struct AdaptiveAvgPool2d {
  Size2 size;

  explicit AdaptiveAvgPool2d(Size2 output) : size(output) {}

  /// The same on another device: `to<Cuda>(net)`.
  template <class D>
  explicit AdaptiveAvgPool2d(const AdaptiveAvgPool2d<T, D>& other) : size(other.size) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return adaptive_avg_pool2d(x, size);
  }
};

/// The mean of every plane, (n, c, 1, 1).
template <class T = float, class Device = Cpu>
struct GlobalAvgPool2d {
  GlobalAvgPool2d() = default;
  /// The same on another device: `to<Cuda>(net)`.
  template <class D>
  explicit GlobalAvgPool2d(const GlobalAvgPool2d<T, D>&) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return global_avg_pool2d(x);
  }
};

}  // namespace ebb::nn
