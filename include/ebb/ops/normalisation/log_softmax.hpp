/// \file
/// The logarithm of softmax along an axis.
#pragma once

#include <ebb/ops/normalisation/softmax/along_axis.hpp>

namespace ebb::inline EBB_ABI {

/// y_k = x_k - log sum_l e^(x_l) along an axis, computed with the largest x taken off first; exact
/// where the logarithm of softmax would be log 0. dx = dy - e^y sum dy. `log_softmax(x)` takes the
/// last axis, `log_softmax(x, 1)` and the layer `LogSoftmax{1}` choose it.
///
/// Shapes: any of rank >= 1, unchanged. \throws ShapeError when the axis is out of range.
struct LogSoftmax {
  static constexpr const char* name = "log_softmax";
  int axis = -1;

  template <Operand X>
  auto operator()(const X& x) const {
    return (*this)(x, axis);
  }
  template <Operand X>
  auto operator()(const X& x, int along) const {
    static_assert(rank_of<X> > 0,
                  "ebb::log_softmax: a tensor of rank 0 has no axis to normalise along");
    return detail::softmax_along(
        name, x, along, [](const auto&... all) { log_softmax_forward(all...); },
        [](const auto&... all) { log_softmax_backward(all...); });
  }
};
inline constexpr LogSoftmax log_softmax;

}  // namespace ebb
