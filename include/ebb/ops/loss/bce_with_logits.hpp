/// \file
/// Binary cross entropy on logits.
#pragma once

#include <ebb/ops/loss/bce_with_logits_cpu.hpp>
#include <ebb/ops/loss/pointwise.hpp>

namespace ebb::inline EBB_ABI {

template <class T, class Device = Cpu>
struct BceOptions {
  /// Weight of the positive class: one number, or one per class (the extent of axis 1, or of the
  /// only axis). Above 1 it raises recall, below 1 precision.
  Tensor<T, 1, Device> pos_weight = {};
  Reduction reduction = Reduction::mean;
};

/// Binary cross entropy between sigmoid(logits) and targets in [0, 1], fused so that it neither
/// overflows nor loses the digits of small probabilities. Do not put a sigmoid before it.
///
/// loss = mean of -p t log s(x) - (1 - t) log(1 - s(x)); dx = ((1 - t) s(x) - p t s(-x)) dy / n.
///
/// Shapes: logits and target alike, any rank; to a scalar. The classes of `pos_weight` lie on axis
/// 1 as everywhere here (PyTorch would broadcast it from the last axis: the same for rank 2).
/// \throws ShapeError when the shapes differ or `pos_weight` has another length.
template <Operand X, Operand Y>
auto bce_with_logits(const X& logits, const Y& target,
                     const BceOptions<scalar_of<X>, device_of<X>>& options = {}) {
  constexpr const char* name = "bce_with_logits";
  detail::check_target(name, logits, target);
  using T = scalar_of<X>;
  using Device = device_of<X>;
  constexpr int N = rank_of<X>;

  Shape<N> weight_shape = logits.shape();
  for (int axis = 0; axis < N; ++axis) weight_shape[axis] = 1;
  const Tensor<T, 1, Device>& weights = options.pos_weight;
  if (weights.defined() && weights.size() != 1) {
    constexpr int axis = N > 1 ? 1 : 0;
    if (N == 0 || weights.size() != logits.shape()[axis])
      throw ShapeError(message(name, ": pos_weight has ", weights.size(),
                               " elements; for logits of "
                               "shape ",
                               logits.shape(),
                               " it needs 1, or one per class (the extent "
                               "of axis ",
                               axis, ")"));
    weight_shape[axis] = weights.size();
  }
  if (logits.size() == 0)
    return track_empty(name, detail::loss_of_nothing<T, Device>(options.reduction), logits, target);
  const auto view = [weight_shape](const Tensor<T, 1, Device>& w) {
    return View<const T, N>{w.defined() ? w.data() : nullptr, weight_shape};
  };
  const T divisor = options.reduction == Reduction::mean ? T(logits.size()) : T(1);
  Tensor<T, 0, Device> y(Shape<0>{});
  bce_forward(Device{}, divisor, value(logits).view(), value(target).view(), view(weights),
              y.mut());
  return track(
      name, y,
      [divisor, view, weights, x = value(logits), t = value(target), dx = sink(logits),
       dt = sink(target)](const auto& dy) {
        if (dx)
          bce_backward<kernel::Side::a>(Device{}, divisor, x.view(), t.view(), view(weights),
                                        dy.view(), dx.into());
        if (dt)
          bce_backward<kernel::Side::b>(Device{}, divisor, x.view(), t.view(), view(weights),
                                        dy.view(), dt.into());
      },
      logits, target);
}

/// The same where logits are dual numbers, and a plain target is a constant.
template <Operand X, Operand Y>
requires stands_for<scalar_of<X>, scalar_of<Y>>
auto bce_with_logits(const X& logits, const Y& target,
                     const BceOptions<scalar_of<X>, device_of<X>>& options = {}) {
  return bce_with_logits(logits, lifted<scalar_of<X>>(target), options);
}

}  // namespace ebb
