/// \file
/// Sizes of padding.
#pragma once

#include <ebb/core/shape.hpp>

namespace ebb::inline EBB_ABI {

/// What stands in the margin: one value, the image mirrored at its outermost element, or that
/// element repeated.
enum class PadMode { constant, reflect, replicate };

/// Elements added in front of an axis and behind it.
struct Margin {
  Index before = 0, after = 0;
};

/// A margin for every axis, first axis first.
template <int N>
struct Margins {
  Margin axis[detail::array_size(N)]{};
};

namespace kernel {

template <int N>
struct PadGeometry {
  Shape<N> from{}, to{};
  Index before[detail::array_size(N)]{};
  PadMode mode = PadMode::constant;

  /// \throws ShapeError when a margin is negative, or wider than there is image to reflect.
  static PadGeometry of(const Shape<N>& x, const Margins<N>& margins, PadMode mode) {
    PadGeometry g;
    g.from = x;
    g.mode = mode;
    for (int k = 0; k < N; ++k) {
      const auto [before, after] = margins.axis[k];
      if (before < 0 || after < 0)
        throw ShapeError(message("pad: the margins (", before, ", ", after, ") of axis ", k,
                                 " are negative; to take elements away, use slice()"));
      const Index widest = before > after ? before : after;
      if (mode == PadMode::reflect && widest > 0 && widest >= x[k])
        throw ShapeError(message("pad: a margin of ", widest, " cannot be reflected from axis ", k,
                                 " of ", x, ", whose extent is ", x[k],
                                 "; a reflected margin must be smaller than the extent"));
      if (mode == PadMode::replicate && widest > 0 && x[k] == 0)
        throw ShapeError(message("pad: axis ", k, " of ", x,
                                 " is empty, so that there is nothing "
                                 "to repeat"));
      g.to[k] = before + x[k] + after;
      g.before[k] = before;
    }
    return g;
  }

  /// The element along `axis` of the operand that element `i` of the result shows; -1: none.
  EBB_HD constexpr Index source(int axis, Index i) const {
    const Index at = i - before[axis], n = from[axis];
    if (at >= 0 && at < n) return at;
    if (mode == PadMode::constant) return -1;
    if (mode == PadMode::reflect) return at < 0 ? -at : 2 * (n - 1) - at;
    return at < 0 ? 0 : n - 1;
  }

  /// The row (along the last axis) of the operand that row `row` of the result shows; -1: none.
  EBB_HD constexpr Index source_row(Index row) const {
    Index at = 0, step = 1;
    for (int k = N - 2; k >= 0; --k) {
      const Index s = source(k, row % to[k]);
      if (s < 0) return -1;
      at += s * step;
      step *= from[k];
      row /= to[k];
    }
    return at;
  }

  /// How many leading axes have no margin: what lies behind them can be padded independently.
  EBB_HD constexpr int untouched() const {
    int k = 0;
    while (k < N && from[k] == to[k]) ++k;
    return k;
  }
};

}  // namespace kernel

}  // namespace ebb
