/// \file
/// Huber's loss: squared near the target, absolute far from it.
#pragma once

#include <ebb/ops/loss/pointwise.hpp>

namespace ebb::inline EBB_ABI {

/// Terms d^2 / 2 where |d| <= delta, and delta (|d| - delta / 2) beyond, with d = x - t;
/// dx = d clamped to [-delta, delta], times dy / n. `huber_loss(x, t)` has delta = 1;
/// `huber_loss(x, t, 0.5)` and the layer `HuberLoss{0.5}` choose it.
/// Huber, "Robust estimation of a location parameter", Ann. Math. Statist. 35, 1964.
///
/// Shapes: input and target alike, any rank; to a scalar.
/// \throws ShapeError when they differ, or are empty and a mean is wanted.
/// \throws ValueError when delta is not positive.
struct HuberLoss : PointwiseLoss<HuberLoss> {
  static constexpr const char* name = "huber_loss";

  constexpr explicit HuberLoss(double delta = 1) : delta_(delta) {
    if (!(delta > 0)) throw ValueError(message("huber_loss: delta must be positive, not ", delta));
  }

  template <class T>
  EBB_HD T value(T x, T t) const {
    const T d = x < t ? t - x : x - t, delta = T(delta_);
    return d <= delta ? T(0.5) * d * d : delta * (d - T(0.5) * delta);
  }
  template <class T>
  EBB_HD T slope_a(T x, T t) const {
    const T d = x - t, delta = T(delta_);
    return d > delta ? delta : d < -delta ? -delta : d;
  }
  template <class T>
  EBB_HD T slope_b(T x, T t) const {
    return slope_a(t, x);
  }

  using PointwiseLoss::operator();
  template <Operand X, Operand Y>
  auto operator()(const X& input, const Y& target, double delta,
                  Reduction reduction = Reduction::mean) const {
    return HuberLoss(delta)(input, target, reduction);
  }

 private:
  double delta_;
};
inline constexpr HuberLoss huber_loss;

}  // namespace ebb
