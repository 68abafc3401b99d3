/// \file
/// The sizes of a two-dimensional convolution.
#pragma once

#include <ebb/core/shape.hpp>
#include <ebb/core/size2.hpp>
#include <ebb/kit/activation.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI {

/// Asks for the padding that keeps an image's size: `.padding = same`.
struct Same {};
inline constexpr Same same;

/// How many zeros surround an image: a number of rows and columns on either side, or `same`.
struct Padding2 {
  Size2 size;
  bool is_same = false;

  constexpr Padding2() = default;
  template <std::integral I>
  constexpr Padding2(I both) : size(both) {}
  constexpr Padding2(Index height, Index width) : size(height, width) {}
  constexpr Padding2(Size2 both) : size(both) {}
  constexpr Padding2(Same) : is_same(true) {}
};

struct Conv2dOptions {
  Size2 stride = 1;
  Padding2 padding = 0;
  Size2 dilation = 1;
  Index groups = 1;
  Activation activation = {};  ///< `relu`, `silu`, ...: of the result, while it is stored
};

namespace kernel {

/// What a convolution kernel must know. Output (oh, ow) sees input rows
/// oh * stride + i * dilation - padding for i in [0, kernel), and zeros outside of the image; how
/// far the padding reaches below and to the right follows from `output`.
struct Conv2dGeometry {
  Index batch = 0, in_channels = 0, out_channels = 0, groups = 1;
  Size2 input, output, kernel, stride, padding, dilation;

  EBB_HD constexpr Index group_in() const { return in_channels / groups; }
  EBB_HD constexpr Index group_out() const { return out_channels / groups; }
  /// Inputs, at most, that one output sums over.
  EBB_HD constexpr Index taps() const { return group_in() * kernel.area(); }
  EBB_HD constexpr Index macs() const { return batch * out_channels * output.area() * taps(); }
};

namespace detail {

/// What both convolutions ask of their options. \throws ValueError in one sentence.
inline void check_conv2d_options(const char* op, const std::string& layer, Size2 stride,
                                 Size2 padding, Size2 dilation, Index groups) {
  constexpr Index most = Index{1} << 30;  // no sum or product of two can overflow
  const auto check = [&](const char* what, Size2 value, Index least) {
    if (std::min(value.height, value.width) < least || std::max(value.height, value.width) > most)
      throw ValueError(message(
          op, layer, ": the ", what, " is ", value, "; it must be ", least, " or more",
          least <= std::min(value.height, value.width) ? ", and not as large as this" : ""));
  };
  check("stride", stride, 1);
  check("padding", padding, 0);
  check("dilation", dilation, 1);
  if (groups < 1)
    throw ValueError(
        message(op, layer, ": there are ", groups, " groups; there must be 1 or more"));
}

inline void check_conv2d_shapes(const char* op, const std::string& layer, const Shape<4>& x,
                                const Shape<4>& w) {
  if (x.stride(0) == 0)
    throw ShapeError(message(op, layer, ": the input ", x,
                             " has empty images; an image needs at least one channel, row and "
                             "column"));
  if (w.size() == 0) throw ShapeError(message(op, layer, ": the weight ", w, " is empty"));
}

/// Rows from the first to the last that a kernel touches.
inline Size2 reach(Size2 kernel, Size2 dilation) {
  return {dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1};
}

/// The geometry of conv2d of an input x (N, C, H, W) with a weight w (out, C / groups, kH, kW).
/// \throws ShapeError, ValueError when they do not fit together.
inline Conv2dGeometry conv2d_geometry(const std::string& layer, const Shape<4>& x,
                                      const Shape<4>& w, const Conv2dOptions& options) {
  const char* op = "conv2d";
  const Size2 stride = options.stride, dilation = options.dilation;
  check_conv2d_options(op, layer, stride, options.padding.size, dilation, options.groups);
  check_conv2d_shapes(op, layer, x, w);
  if (x[1] % options.groups != 0 || w[0] % options.groups != 0)
    throw ShapeError(message(op, layer, ": ", options.groups, " groups do not divide ",
                             x[1] % options.groups != 0 ? x[1] : w[0],
                             x[1] % options.groups != 0 ? " input" : " output", " channels (input ",
                             x, ", weight ", w, ")"));
  if (w[1] != x[1] / options.groups)
    throw ShapeError(message(
        op, layer, ": the weight ", w, " expects ", w[1] * options.groups, " input channels",
        options.groups > 1 ? " in all its groups" : "", ", but the input ", x, " has ", x[1],
        w[1] == x[1] ? "; the weight's second extent is channels / groups" : ""));

  Conv2dGeometry g;
  g.batch = x[0], g.in_channels = x[1], g.out_channels = w[0], g.groups = options.groups;
  g.input = {x[2], x[3]}, g.kernel = {w[2], w[3]};
  g.stride = stride, g.dilation = dilation;
  const Size2 window = reach(g.kernel, dilation);
  Size2 padded;
  if (options.padding.is_same) {
    if (stride != Size2(1))
      throw ValueError(message(op, layer,
                               ": padding 'same' keeps an image's size, which a stride "
                               "of ",
                               stride, " cannot; give the padding in numbers"));
    // An even window needs one zero more below and to the right, as in PyTorch.
    g.padding = {(window.height - 1) / 2, (window.width - 1) / 2};
    padded = {x[2] + window.height - 1, x[3] + window.width - 1};
  } else {
    g.padding = options.padding.size;
    padded = {x[2] + 2 * g.padding.height, x[3] + 2 * g.padding.width};
  }
  if (window.height > padded.height || window.width > padded.width)
    throw ShapeError(
        message(op, layer, ": the kernel ", g.kernel,
                dilation == Size2(1) ? "" : message(" (", window, " with dilation ", dilation, ")"),
                " is larger than the padded input ", padded, " (image ", g.input, ", padding ",
                g.padding, ")"));
  g.output = {(padded.height - window.height) / stride.height + 1,
              (padded.width - window.width) / stride.width + 1};
  return g;
}

inline void check_conv2d_bias(const char* op, const std::string& layer, const Shape<1>& bias,
                              Index channels) {
  if (bias[0] != channels)
    throw ShapeError(message(op, layer, ": there are ", channels,
                             " output channels, but the bias "
                             "has ",
                             bias[0], " elements"));
}

}  // namespace detail

}  // namespace kernel

}  // namespace ebb
