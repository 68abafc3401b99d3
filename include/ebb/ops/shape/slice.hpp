/// \file
/// A stretch of one axis.
#pragma once

#include <ebb/kit/slab.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

/// Elements [begin, end) along `axis`, copied. `axis`, `begin` and `end` may count from the end:
/// `slice(x, -1, -3, x.extent(-1))` is the last three columns.
/// \throws ShapeError when the stretch ends before it begins, or reaches outside the axis.
template <Operand X>
auto slice(const X& x, int axis, Index begin, Index end) {
  static_assert(rank_of<X> >= 1, "ebb::slice: a scalar has no axis to slice");
  using Tens = tensor_of<X>;
  using Device = device_of<X>;
  const auto from = x.shape();
  const int a = normalize_axis("slice", axis, rank_of<X>);
  const Index extent = from[a], first = begin < 0 ? begin + extent : begin,
              last = end < 0 ? end + extent : end;
  if (first < 0 || last > extent || first > last)
    throw ShapeError(message("slice: [", begin, ", ", end, ") is not a stretch of axis ", axis,
                             " of ", from, ", whose extent is ", extent,
                             "; begin must be at most end, and end at most ", extent));

  auto to = from;
  to[a] = last - first;
  const Index inner = from.stride(a), row = extent * inner, length = to[a] * inner;
  const kernel::Slab slab{row == 0 ? 0 : from.size() / row, length, row, first * inner, length, 0};
  Tens y(to);
  if (length == 0) return track_empty("slice", y, x);
  copy_slab(Device{}, slab, kernel::flat(value(x).view()), kernel::flat(kernel::over(y.mut())));
  return track(
      "slice", y,
      [slab, dx = sink(x)](const auto& dy) {
        if (dx)
          embed_slab(Device{}, slab.reversed(), kernel::flat(dy.view()), kernel::flat(dx.into()));
      },
      x);
}

}  // namespace ebb
