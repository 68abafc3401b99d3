/// \file
/// Where the largest element is.
#pragma once

#include <ebb/ops/reduce/reduce.hpp>

namespace ebb::inline EBB_ABI {

/// The position along `axis` of the largest element: the first of several equal ones, and the first
/// nan where there is one. Not differentiable: a plain tensor whatever the operand is.
///
/// Shapes: rank N to rank N - 1, of `int`.
/// \throws ShapeError when the axis is out of range or has no elements.
template <Operand X>
auto argmax(const X& x, int axis) {
  constexpr int N = rank_of<X>;
  static_assert(N > 0, "ebb::argmax: a tensor of rank 0 has no axes");
  constexpr int M = N > 0 ? N - 1 : 0;
  const auto set = detail::AxisSet<N>::of("argmax", axis);
  detail::require_elements("argmax", x.shape(), set);
  Tensor<int, M, device_of<X>> y(set.template dropped<M>(x.shape()));
  argmax_forward(device_of<X>{}, normalize_axis("argmax", axis, N), value(x).view(), y.mut());
  return y;
}

}  // namespace ebb
