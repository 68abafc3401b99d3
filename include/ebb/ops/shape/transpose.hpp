/// \file
/// Two axes exchanged.
#pragma once

#include <ebb/ops/shape/permute/permute.hpp>

namespace ebb::inline EBB_ABI {

/// x with `axis_a` and `axis_b` exchanged.
/// \throws ShapeError when an axis is out of range.
template <Operand X>
auto transpose(const X& x, int axis_a, int axis_b) {
  constexpr int rank = rank_of<X>;
  const int a = normalize_axis("transpose", axis_a, rank);
  const int b = normalize_axis("transpose", axis_b, rank);
  AxisOrder<rank> axes{};
  for (int k = 0; k < rank; ++k) axes[static_cast<std::size_t>(k)] = k == a ? b : k == b ? a : k;
  return permute(x, axes);
}

/// x (m, n) -> (n, m).
template <Operand X>
auto transpose(const X& x) {
  static_assert(rank_of<X> == 2,
                "ebb::transpose: without axes it takes a matrix; say which two axes to exchange: "
                "ebb::transpose(x, -2, -1)");
  return transpose(x, 0, 1);
}

}  // namespace ebb
