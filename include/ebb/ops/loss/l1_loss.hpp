/// \file
/// The mean absolute error.
#pragma once

#include <ebb/ops/loss/pointwise.hpp>

namespace ebb::inline EBB_ABI {

/// loss = mean of |x - t|; dx = sign(x - t) dy / n, zero where they are equal.
/// `l1_loss(x, t, Reduction::sum)` for the sum.
///
/// Shapes: input and target alike, any rank; to a scalar.
/// \throws ShapeError when they differ, or are empty and a mean is wanted.
struct L1Loss : PointwiseLoss<L1Loss> {
  static constexpr const char* name = "l1_loss";
  template <class T>
  EBB_HD T value(T x, T t) const {
    return x < t ? t - x : x - t;
  }
  template <class T>
  EBB_HD T slope_a(T x, T t) const {
    return x > t ? T(1) : x < t ? T(-1) : T(0);
  }
  template <class T>
  EBB_HD T slope_b(T x, T t) const {
    return slope_a(t, x);
  }
};
inline constexpr L1Loss l1_loss;

}  // namespace ebb
