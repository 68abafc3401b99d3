/// \file
/// The mean squared error.
#pragma once

#include <ebb/ops/loss/pointwise.hpp>

namespace ebb::inline EBB_ABI {

/// loss = mean of (x - t)^2; dx = 2 (x - t) dy / n. `mse_loss(x, t, Reduction::sum)` for the sum.
///
/// Shapes: input and target alike, any rank; to a scalar.
/// \throws ShapeError when they differ, or are empty and a mean is wanted.
struct MseLoss : PointwiseLoss<MseLoss> {
  static constexpr const char* name = "mse_loss";
  static constexpr int slope_gain = 2;
  template <class T>
  EBB_HD T value(T x, T t) const {
    return (x - t) * (x - t);
  }
  template <class T>
  EBB_HD T slope_a(T x, T t) const {
    return x - t;
  }
  template <class T>
  EBB_HD T slope_b(T x, T t) const {
    return t - x;
  }
};
inline constexpr MseLoss mse_loss;

EBB_COMPILED_POINTWISE(MseLoss)

}  // namespace ebb
