/// \file
/// Running sums along an axis.
#pragma once

#include <ebb/ops/reduce/cumsum/cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

/// y_i = x_0 + ... + x_i along an axis, the last where none is named: `cumsum(x)`, `cumsum(x, 0)`.
/// Every y_i with i >= j has x_j in it, so dx_j is the sum of those dy_i: running sums from the
/// other end.
///
/// Shapes: any of rank >= 1, unchanged. \throws ShapeError when the axis is out of range.
template <Operand X>
auto cumsum(const X& x, int axis = -1) {
  static_assert(rank_of<X> > 0, "ebb::cumsum: a tensor of rank 0 has no axis to sum along");
  using Device = device_of<X>;
  const int k = normalize_axis("cumsum", axis, rank_of<X>);
  tensor_of<X> y(x.shape());
  cumsum_forward(Device{}, k, value(x).view(), y.mut());
  return track(
      "cumsum", y,
      [k, dx = sink(x)](const auto& dy) {
        if (dx) cumsum_backward(Device{}, k, dy.view(), dx.into());
      },
      x);
}

}  // namespace ebb
