/// \file
/// Which pixels an enlarged image reads.
#pragma once

#include <ebb/core/shape.hpp>
#include <ebb/core/size2.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI {

/// Factors by which height and width grow: `Scale2{2}`, or `Scale2{2, 1.5}`.
struct Scale2 {
  double height = 1, width = 1;

  constexpr explicit Scale2(double both) : height(both), width(both) {}
  constexpr Scale2(double h, double w) : height(h), width(w) {}
};

/// "2x1.5".
inline std::string to_string(Scale2 scale) { return message(scale.height, "x", scale.width); }

namespace kernel {

/// The two neighbours a pixel lies between, and the weight of the second.
struct Neighbours {
  Index first, second;
  double weight;
};

/// One axis: `in` pixels become `out`; `step` is how far apart the results lie in the operand.
struct UpsampleAxis {
  Index in = 0, out = 0;
  double step = 1;
  bool align_corners = false;

  /// The pixel a result repeats: floor(i step), in float as PyTorch does, so that both choose the
  /// same one where rounding decides. Doubled extents repeat every pixel twice, as there, even
  /// where the factor is a little more than two. I: what the kernel's indices are.
  template <class I = Index>
  EBB_HD I nearest(I i) const {
    if (out == 2 * in) return i / 2;
    const auto at = static_cast<I>(static_cast<float>(i) * static_cast<float>(step));
    const I last = static_cast<I>(in - 1);
    return at < last ? at : last;
  }

  /// The pixels a result lies between. Pixels are areas whose centres lie at i + 1/2, unless
  /// corners are aligned: then they are points, and the first and last ones coincide.
  EBB_HD Neighbours between(Index i) const {
    double at =
        align_corners ? step * static_cast<double>(i) : step * (static_cast<double>(i) + 0.5) - 0.5;
    if (at < 0) at = 0;
    auto first = static_cast<Index>(at);
    if (first > in - 1) first = in - 1;
    return {first, first < in - 1 ? first + 1 : first, at - static_cast<double>(first)};
  }
};

struct UpsampleGeometry {
  Index planes = 0;
  UpsampleAxis y, x;

  EBB_HD constexpr Index in() const { return y.in * x.in; }
  EBB_HD constexpr Index out() const { return y.out * x.out; }
  EBB_HD constexpr Index size() const { return planes * out(); }

  /// To a size. \throws ShapeError, ValueError on an empty image or an empty result.
  static UpsampleGeometry of(const char* op, const Shape<4>& x, Size2 out, bool align_corners) {
    const auto axis = [&](Index from, Index to) {
      const double step = !align_corners ? static_cast<double>(from) / static_cast<double>(to)
                          : to > 1 ? static_cast<double>(from - 1) / static_cast<double>(to - 1)
                                   : 0.0;
      return UpsampleAxis{from, to, step, align_corners};
    };
    check(op, x, out, message("the output size ", out));
    return {x[0] * x[1], axis(x[2], out.height), axis(x[3], out.width)};
  }

  /// By a factor: extents are floor(extent factor), and the factor itself sets the step, as in
  /// PyTorch, unless the extent stays the same: that axis is copied. \throws ShapeError, ValueError
  /// on an empty image or an empty result.
  static UpsampleGeometry of(const char* op, const Shape<4>& x, Scale2 scale, bool align_corners) {
    const auto sane = [](double factor) { return factor > 0 && factor < 1e6; };
    if (!sane(scale.height) || !sane(scale.width))
      throw ValueError(message(op, ": the scale ", scale, " is not a pair of positive factors"));
    const Size2 out{static_cast<Index>(std::floor(static_cast<double>(x[2]) * scale.height)),
                    static_cast<Index>(std::floor(static_cast<double>(x[3]) * scale.width))};
    check(op, x, out, message("the size ", out, " from scale ", scale));
    auto g = of(op, x, out, align_corners);
    if (!align_corners) {
      if (g.y.out != g.y.in) g.y.step = 1 / scale.height;
      if (g.x.out != g.x.in) g.x.step = 1 / scale.width;
    }
    return g;
  }

 private:
  static void check(const char* op, const Shape<4>& x, Size2 out, const std::string& what) {
    if (x.stride(0) == 0)
      throw ShapeError(message(op, ": the input ", x,
                               " has empty images; channels, height and width must be at least "
                               "1"));
    if (out.height < 1 || out.width < 1)
      throw ValueError(message(op, ": ", what, " is empty for the input ", x,
                               "; height and width must be at least 1"));
  }
};

}  // namespace kernel

}  // namespace ebb
