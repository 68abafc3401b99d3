/// \file
/// Axes in another order.
#pragma once

#include <ebb/ops/shape/permute/cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

/// Axis k of the result is axis `axes[k]` of x: `permute(x, {0, 3, 1, 2})` turns (n, h, w, c) into
/// (n, c, h, w). The elements are copied.
/// \throws ShapeError when `axes` does not name every axis once.
template <Operand X>
auto permute(const X& x, const AxisOrder<rank_of<X>>& axes) {
  static_assert(rank_of<X> >= 1, "ebb::permute: a scalar has no axes");
  constexpr int rank = rank_of<X>;
  using Tens = tensor_of<X>;
  using Device = device_of<X>;
  const auto g = kernel::PermuteGeometry<rank>::of(x.shape(), axes);
  Tens y(g.shape);
  permute_copy(Device{}, g, value(x).view(), Into<scalar_of<X>, rank>{y.mutable_data(), g.shape});

  AxisOrder<rank> back{};  // the inverse permutation
  for (int k = 0; k < rank; ++k) {
    const int axis = axes[static_cast<std::size_t>(k)];
    back[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = k;
  }
  return track(
      "permute", y,
      [back, dx = sink(x)](const auto& dy) {
        if (dx)
          permute_copy(Device{}, kernel::PermuteGeometry<rank>::of(dy.shape(), back), dy.view(),
                       dx.into());
      },
      x);
}

}  // namespace ebb
