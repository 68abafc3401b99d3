/// \file
/// How good a network is on a dataset.
#pragma once

#include <ebb/ops/loss/cross_entropy.hpp>
#include <ebb/train/metrics.hpp>

namespace ebb::inline EBB_ABI {

/// The result of `evaluate`; of no samples all of it is 0.
struct Evaluation {
  double loss = 0;    ///< mean over all samples
  Index correct = 0;  ///< samples whose highest score is that of their class
  Index count = 0;    ///< samples; where targets are class indices, positions that are not ignored

  /// Share of right answers, in [0, 1].
  double accuracy() const {
    return count > 0 ? static_cast<double>(correct) / static_cast<double>(count) : 0.0;
  }
};

/// The loss of classifiers: cross entropy on logits (B, C, ...) and class indices (B, ...).
struct CrossEntropy {
  template <Operand X, class Labels>
  auto operator()(const X& logits, const Labels& labels) const {
    return cross_entropy(logits, labels);
  }
};

namespace detail {

/// Whether targets of type Y are class indices for scores of type X.
template <class X, class Y>
inline constexpr bool is_labels = false;
template <Operand X, class Device>
inline constexpr bool is_labels<X, Tensor<int, rank_of<X> - 1, Device>> = rank_of<X> >= 2;

/// Hands a batch to a metric: `add(images, scores, targets)` where it wants to see the images, else
/// `add(scores, targets)`.
template <class Metric, class X, class Scores, class Y>
void add_to(Metric& metric, const X& x, const Scores& scores, const Y& y) {
  if constexpr (requires { metric.add(x, scores, y); })
    metric.add(x, scores, y);
  else
    metric.add(scores, y);
}

}  // namespace detail

/// Runs `net` over every batch `[x, y]` of `loader` on plain tensors, so that nothing is recorded,
/// dropout passes on and batch norm uses its running statistics. Batches of no samples add nothing.
/// Metrics take part in the same pass:
///
///     ebb::ConfusionMatrix confusion(10);
///     const auto result = ebb::evaluate_with(ebb::CrossEntropy{}, net, test, confusion);
template <class Loss, class Net, class Loader, class... Metrics>
Evaluation evaluate_with(const Loss& loss, const Net& net, Loader&& loader, Metrics&... metrics) {
  Evaluation result;
  RunningMean mean;
  Accuracy accuracy;
  for (const auto& [x, y] : loader) {
    const auto scores = net(x);
    mean.add(static_cast<double>(loss(scores, y).item()), y.extent(0));
    if constexpr (detail::is_labels<std::remove_cvref_t<decltype(scores)>,
                                    std::remove_cvref_t<decltype(y)>>)
      accuracy.add(scores, y);
    (detail::add_to(metrics, x, scores, y), ...);
  }
  result.loss = mean.value();
  result.correct = accuracy.correct();
  result.count = accuracy.count() > 0 ? accuracy.count() : mean.count();
  return result;
}

/// The same with cross entropy for the loss: `evaluate(net, test, confusion)`.
template <class Net, class Loader, class... Metrics>
Evaluation evaluate(const Net& net, Loader&& loader, Metrics&... metrics) {
  return evaluate_with(CrossEntropy{}, net, loader, metrics...);
}

}  // namespace ebb
