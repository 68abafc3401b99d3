/// \file
/// What explanations share: a network that stands still, the scores of its classes and their
/// gradients.
#pragma once

#include <ebb/nn/visit.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/tape/backward.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::explain {

/// A copy of the network that evaluates (batch norm by its running statistics, no dropout) and
/// whose parameters gather no gradients: explaining changes nothing about the network itself.
template <class Net>
Net standing(const Net& net) {
  Net copy = net;
  nn::eval(copy);
  nn::freeze(copy);
  return copy;
}

namespace detail {

template <int N>
void require_targets(const char* who, const Shape<N>& images, const Shape<2>& scores,
                     const Tensor<int, 1>& targets) {
  if (scores[0] != images[0] || targets.extent(0) != scores[0])
    throw ShapeError(message(who, ": images ", images, ", scores ", scores, " and targets ",
                             targets.shape(), " differ in their number; give one class per image"));
  for (Index i = 0; i < targets.size(); ++i)
    if (targets.data()[i] < 0 || targets.data()[i] >= scores[1])
      throw ValueError(message(who, ": target ", i, " is class ", targets.data()[i],
                               ", but the network tells ", scores[1], " classes, counted from 0"));
}

/// One where a score is its image's target, zero elsewhere.
template <class Tens>
Tens chosen(const Shape<2>& scores, const Tensor<int, 1>& targets) {
  std::vector<typename Tens::scalar> values(static_cast<std::size_t>(scores.size()));
  for (Index i = 0; i < scores[0]; ++i)
    values[static_cast<std::size_t>(i * scores[1] + targets.data()[i])] = 1;
  return Tens::from(scores, values);
}

/// The gradient of the targets' scores, for a network that stands still.
template <class Net, class T, class Device>
Tensor<T, 4, Device> gradient(const char* who, const Net& still, const Tensor<T, 4, Device>& x,
                              const Tensor<int, 1>& targets) {
  Tape tape;
  const auto input = tape.watch(x);
  const auto scores = still(input);
  static_assert(rank_of<std::remove_cv_t<decltype(scores)>> == 2,
                "ebb::explain: the network must yield one score per image and class, (n, classes)");
  require_targets(who, x.shape(), scores.shape(), targets);
  backward(scores, chosen<Tensor<T, 2, Device>>(scores.shape(), targets));
  const auto found = input.grad();
  return found.defined() ? found : Tensor<T, 4, Device>::zeros(x.shape());
}

}  // namespace detail

/// The scores (logits) of the target classes, (n). \throws ShapeError, ValueError as all of
/// explain/ when there is not one class per image, or a class that the network does not tell.
template <class Net, class T, class Device>
std::vector<T> target_scores(const Net& net, const Tensor<T, 4, Device>& x,
                             const Tensor<int, 1>& targets) {
  const Net still = standing(net);
  const auto scores = still(x);
  detail::require_targets("target_scores", x.shape(), scores.shape(), targets);
  const std::vector<T> all = scores.values();
  std::vector<T> picked;
  for (Index i = 0; i < targets.size(); ++i)
    picked.push_back(all[static_cast<std::size_t>(i * scores.extent(1) + targets.data()[i])]);
  return picked;
}

/// Attributions (n, c, h, w) -> the greatest magnitude over channels, (n, h, w) in host memory.
template <class T, class Device>
Tensor<T, 3> heat_map(const Tensor<T, 4, Device>& attributions) {
  const auto a = to<Cpu>(attributions);
  Tensor<T, 3> y({a.extent(0), a.extent(2), a.extent(3)});
  const Index pixels = a.extent(2) * a.extent(3);
  for (Index n = 0; n < a.extent(0); ++n)
    for (Index i = 0; i < pixels; ++i) {
      T most = 0;
      for (Index c = 0; c < a.extent(1); ++c)
        most = std::fmax(most, std::fabs(a.data()[(n * a.extent(1) + c) * pixels + i]));
      y.mutable_data()[n * pixels + i] = most;
    }
  return y;
}

}  // namespace ebb::explain
