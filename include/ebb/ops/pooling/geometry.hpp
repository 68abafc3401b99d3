/// \file
/// Windows of pooling: sizes, checks, and which elements a window covers.
#pragma once

#include <ebb/core/shape.hpp>
#include <ebb/core/size2.hpp>
#include <ebb/kit/counting.hpp>

#include <algorithm>
#include <limits>

namespace ebb::inline EBB_ABI::kernel {

/// A half-open stretch of indices.
struct Stretch {
  Index begin = 0, end = 0;
  EBB_HD constexpr Index length() const { return end - begin; }
  /// What lies in both.
  EBB_HD constexpr Stretch both(const Stretch& other) const {
    const Index from = begin > other.begin ? begin : other.begin;
    const Index to = end < other.end ? end : other.end;
    return {from, to > from ? to : from};
  }
};

/// One spatial axis of a pooling: windows of `kernel` elements, `dilation` apart, begin every
/// `stride` elements, the first one `padding` before the image.
struct PoolAxis {
  Index in = 0, out = 0, kernel = 1, stride = 1, padding = 0, dilation = 1;

  /// Where tap `k` of window `o` lies; outside the image when not in [0, in).
  EBB_HD constexpr Index at(Index o, Index k) const { return o * stride - padding + k * dilation; }

  /// The windows whose tap `k` lies inside the image; a stretch of [0, out), even when it is empty.
  EBB_HD constexpr Stretch windows(Index k) const {
    const Index offset = k * dilation - padding;
    Index begin = offset < 0 ? divide_up(-offset, stride) : 0;
    Index end = offset >= in ? 0 : (in - 1 - offset) / stride + 1;
    if (begin > out) begin = out;
    if (end > out) end = out;
    return {begin, end > begin ? end : begin};
  }

  /// The first tap of window `o` inside the image; `kernel` when there is none.
  EBB_HD constexpr Index first_tap(Index o) const {
    Index k = 0;
    while (k < kernel && (at(o, k) < 0 || at(o, k) >= in)) ++k;
    return k;
  }

  /// How many elements window `o` counts in an average: those inside the image, or those inside
  /// the image and its padding. (Not dilated.)
  EBB_HD constexpr Index count(Index o, bool with_padding) const {
    Index begin = o * stride - padding, end = begin + kernel;
    if (end > in + padding) end = in + padding;
    if (with_padding) return end - begin;
    if (begin < 0) begin = 0;
    if (end > in) end = in;
    return end - begin;
  }
};

struct Pool2dGeometry {
  Index planes = 0;  ///< batch times channels
  PoolAxis y, x;
  bool count_include_pad = true;
  Index divisor = 0;  ///< of an average, when not 0

  EBB_HD constexpr Index average_divisor(Index oy, Index ox) const {
    if (divisor != 0) return divisor;
    return y.count(oy, count_include_pad) * x.count(ox, count_include_pad);
  }
};

namespace detail {

/// \throws ShapeError when an image has no pixels; a batch may have no images.
inline void require_images(const char* op, const Shape<4>& x) {
  if (x.stride(0) == 0)
    throw ShapeError(message(op, ": the input ", x,
                             " has empty images; channels, height and width must be at least 1"));
}

/// Sizes of one axis, checked.
inline PoolAxis pool_axis(const char* op, const char* name, const Shape<4>& shape, Index in,
                          PoolAxis a, bool ceil_mode) {
  a.in = in;
  if (a.stride == 0) a.stride = a.kernel;
  if (a.kernel < 1 || a.stride < 1 || a.dilation < 1 || a.padding < 0)
    throw ValueError(
        message(op, ": kernel ", a.kernel, ", stride ", a.stride, ", padding ", a.padding,
                " and dilation ", a.dilation, " along the ", name,
                ": kernel, stride and dilation must be at least 1, padding at least 0"));
  constexpr Index most = Index{1} << 30;  // no sum or product of two can overflow
  if (std::max({a.kernel, a.stride, a.dilation}) > most)
    throw ValueError(message(op, ": kernel ", a.kernel, ", stride ", a.stride, " and dilation ",
                             a.dilation, " along the ", name, ": none may be above ", most));
  if (a.padding > a.kernel / 2)
    throw ValueError(message(op, ": padding ", a.padding,
                             " is more than half the kernel, which is ", a.kernel, " along the ",
                             name, "; pad the input with pad() first"));
  const Index window = a.dilation * (a.kernel - 1) + 1, room = in + 2 * a.padding;
  const Index beyond = ceil_mode ? a.stride - 1 : 0;  // how far a window may reach over the edge
  if (window > room + beyond)
    throw ShapeError(message(op, ": a window of ", window, " does not fit into the ", name,
                             " of the input ", shape, ", ", in, " and ", room,
                             " with padding; use a smaller kernel or a larger image"));
  a.out = (room + beyond - window) / a.stride + 1;
  // The last window of ceil mode must begin inside the image or the padding before it.
  if (ceil_mode && (a.out - 1) * a.stride >= in + a.padding) --a.out;
  for (Index o = 0; a.dilation > 1 && o < a.out; ++o)
    if (a.first_tap(o) == a.kernel)
      throw ShapeError(message(op, ": window ", o, " along the ", name, " of the input ", shape,
                               " would see padding alone: kernel ", a.kernel, ", dilation ",
                               a.dilation, ", padding ", a.padding, "; use less padding"));
  return a;
}

}  // namespace detail

/// \throws ShapeError, ValueError when the windows do not fit the image.
inline Pool2dGeometry pool2d_geometry(const char* op, const Shape<4>& x, Size2 kernel, Size2 stride,
                                      Size2 padding, Size2 dilation, bool ceil_mode) {
  detail::require_images(op, x);
  if (x[2] > std::numeric_limits<int>::max() / x[3])
    throw ShapeError(message(op, ": images of ", x[2], " by ", x[3],
                             " have more elements than an int can number"));
  Pool2dGeometry g;
  g.planes = x[0] * x[1];
  g.y = detail::pool_axis(op, "height", x, x[2],
                          {0, 0, kernel.height, stride.height, padding.height, dilation.height},
                          ceil_mode);
  g.x = detail::pool_axis(op, "width", x, x[3],
                          {0, 0, kernel.width, stride.width, padding.width, dilation.width},
                          ceil_mode);
  return g;
}

/// Windows of unequal sizes that cover an axis evenly: window i of n is
/// [floor(i in / n), ceil((i + 1) in / n)).
struct AdaptivePoolGeometry {
  Index planes = 0;
  Size2 in, out;

  EBB_HD static constexpr Stretch window(Index i, Index in, Index out) {
    return {i * in / out, divide_up((i + 1) * in, out)};
  }
  EBB_HD constexpr Stretch rows(Index oy) const { return window(oy, in.height, out.height); }
  EBB_HD constexpr Stretch columns(Index ox) const { return window(ox, in.width, out.width); }

  /// \throws ShapeError, ValueError on an empty image or an empty result.
  static AdaptivePoolGeometry of(const char* op, const Shape<4>& x, Size2 out) {
    detail::require_images(op, x);
    if (out.height < 1 || out.width < 1)
      throw ValueError(message(op, ": the output size ", out,
                               " is empty; height and width must be "
                               "at least 1"));
    return {x[0] * x[1], {x[2], x[3]}, out};
  }
};

}  // namespace ebb::kernel
