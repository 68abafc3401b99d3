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

  /// Windows of one element, to be assigned to.
  MaxPool2d() = default;
  explicit MaxPool2d(Size2 kernel, MaxPoolOptions o = {})
      : options{kernel, o.stride, o.padding, o.dilation, o.ceil_mode} {}

  template <Operand X>
  auto operator()(const X& x) const {
    return max_pool2d(x, options);
  }

  static constexpr void visit(auto& self, auto&& f) { f("options", self.options); }
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

  /// Windows of one element, to be assigned to.
  AvgPool2d() = default;
  explicit AvgPool2d(Size2 kernel, AvgPoolOptions o = {})
      : options{kernel, o.stride, o.padding, o.ceil_mode, o.count_include_pad, o.divisor_override} {
  }

  template <Operand X>
  auto operator()(const X& x) const {
    return avg_pool2d(x, options);
  }

  static constexpr void visit(auto& self, auto&& f) { f("options", self.options); }
};

/// Means of as many windows as `size` asks for, whatever the image's size.
template <class T = float, class Device = Cpu>
struct AdaptiveAvgPool2d {
  Size2 size = 1;

  /// One window, to be assigned to.
  AdaptiveAvgPool2d() = default;
  explicit AdaptiveAvgPool2d(Size2 output) : size(output) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return adaptive_avg_pool2d(x, size);
  }

  static constexpr void visit(auto& self, auto&& f) { f("size", self.size); }
};

/// The mean of every plane, (n, c, 1, 1).
template <class T = float, class Device = Cpu>
struct GlobalAvgPool2d {
  template <Operand X>
  auto operator()(const X& x) const {
    return global_avg_pool2d(x);
  }
};

}  // namespace ebb::nn
