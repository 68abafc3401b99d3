/// \file
/// Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017.
#pragma once

#include <ebb/explain/scores.hpp>

namespace ebb::inline EBB_ABI::explain {

/// (x - baseline) times the mean gradient along the straight way from the baseline, taken at the
/// middle of `steps` equal pieces, (n, c, h, w). The attributions of an image add up to the
/// difference of its target score and the baseline's (completeness), the nearer the more steps.
/// \throws ShapeError when the baseline has another shape, ValueError when there is no step.
template <class Net, class T>
Tensor<T, 4> integrated_gradients(const Net& net, const Tensor<T, 4>& x,
                                  const Tensor<int, 1>& targets, const Tensor<T, 4>& baseline,
                                  int steps = 50) {
  if (!(baseline.shape() == x.shape()))
    throw ShapeError(message("integrated_gradients: the baseline has shape ", baseline.shape(),
                             " and the images ", x.shape(), "; they must agree"));
  if (steps < 1)
    throw ValueError(message("integrated_gradients: ", steps,
                             " steps were asked for; use 1 or "
                             "more"));
  const Net still = standing(net);
  Tensor<T, 4> sum = Tensor<T, 4>::zeros(x.shape());
  for (int k = 0; k < steps; ++k) {
    const T part = (static_cast<T>(k) + T(0.5)) / static_cast<T>(steps);
    Tensor<T, 4> between(x.shape());
    for (Index i = 0; i < x.size(); ++i)
      between.mutable_data()[i] = baseline.data()[i] + part * (x.data()[i] - baseline.data()[i]);
    const auto dx = detail::gradient("integrated_gradients", still, between, targets);
    for (Index i = 0; i < x.size(); ++i) sum.mutable_data()[i] += dx.data()[i];
  }
  for (Index i = 0; i < x.size(); ++i)
    sum.mutable_data()[i] *= (x.data()[i] - baseline.data()[i]) / static_cast<T>(steps);
  return sum;
}

/// From a baseline of zeros.
template <class Net, class T>
Tensor<T, 4> integrated_gradients(const Net& net, const Tensor<T, 4>& x,
                                  const Tensor<int, 1>& targets, int steps = 50) {
  return integrated_gradients(net, x, targets, Tensor<T, 4>::zeros(x.shape()), steps);
}

}  // namespace ebb::explain
