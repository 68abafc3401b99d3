/// \file
/// Softmax along an axis.
#pragma once

#include <ebb/ops/normalisation/softmax/along_axis.hpp>

namespace ebb::inline EBB_ABI {

/// y_k = e^(x_k) / sum_l e^(x_l) along an axis, with the largest x taken off first, so that nothing
/// overflows; dx = y (dy - sum y dy). `softmax(x)` takes the last axis, `softmax(x, 1)` and the
/// layer `Softmax{1}` choose it.
///
/// Do not put it before `cross_entropy`, which takes logits (see ops/loss/cross_entropy.hpp).
/// Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
///
/// Shapes: any of rank >= 1, unchanged. \throws ShapeError when the axis is out of range.
struct Softmax {
  static constexpr const char* name = "softmax";
  int axis = -1;

  template <Operand X>
  auto operator()(const X& x) const {
    return (*this)(x, axis);
  }
  template <Operand X>
  auto operator()(const X& x, int along) const {
    static_assert(rank_of<X> > 0,
                  "ebb::softmax: a tensor of rank 0 has no axis to normalise along");
    return detail::softmax_along(
        name, x, along, [](const auto&... all) { softmax_forward(all...); },
        [](const auto&... all) { softmax_backward(all...); });
  }
};
inline constexpr Softmax softmax;

}  // namespace ebb
