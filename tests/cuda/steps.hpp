/// \file
/// Training steps of whole networks on Cuda beside the CPU, from equal weights.
#pragma once

#include <ebb/cuda.cuh>

#include "tests/cuda/compare.hpp"

#include <vector>

namespace ebb::test {

/// The losses of some steps on a device, and all parameters and buffers after them.
struct Steps {
  std::vector<double> losses, state;
  bool operator==(const Steps&) const = default;
};

/// Trains a copy of `start`: random images, labels in turn, gradients clipped, a falling rate.
template <class Device, class Net, class R>
Steps train_steps(const Net& start, const R& rule, const Shape<4>& images, int classes,
                  int steps = 3) {
  auto net = to<Device>(start);
  optim::Optimizer opt(net, rule);
  default_generator() = {5, 0};  // dropout draws the same numbers on either device
  Steps result;
  for (int step = 0; step < steps; ++step) {
    const auto x = to<Device>(random<float>(images, 50 + static_cast<std::uint64_t>(step)));
    opt.set_lr(rule.lr * (1 - 0.2 * step));
    opt.zero_grad();
    Tape tape;
    const auto logits = net(tape.input(x));
    constexpr int rank = rank_of<std::remove_cvref_t<decltype(logits)>>;
    Shape<rank - 1> places{};
    places[0] = images[0];
    if constexpr (rank == 4) {
      places[1] = images[2];
      places[2] = images[3];
    }
    Tensor<int, rank - 1> labels(places);
    for (Index i = 0; i < labels.size(); ++i)
      labels.mutable_data()[i] = static_cast<int>((i * 3 + step) % classes);
    const auto loss = cross_entropy(logits, to<Device>(labels));
    backward(loss);
    if constexpr (std::is_same_v<Device, Cuda>)
      optim::clip_grad_norm<Cuda>(net, 1.0);
    else
      optim::clip_grad_norm(net, 1.0);
    opt.step();
    result.losses.push_back(static_cast<double>(loss.value().item()));
  }
  nn::visit_state(net, [&](const std::string&, const auto& p) {
    using T = typename std::remove_cvref_t<decltype(p.value())>::scalar;
    if constexpr (std::is_floating_point_v<T>)  // not counts of batches, the largest numbers
      for (const auto v : p.value().values()) result.state.push_back(static_cast<double>(v));
  });
  return result;
}

/// How far two runs are apart: the largest difference of losses, and of state, relative to the
/// largest number of each.
struct Apart {
  double losses, state;
};
inline Apart apart(const Steps& a, const Steps& b) {
  return {deviation(a.losses, b.losses), deviation(a.state, b.state)};
}

/// A run on Cuda beside one on the CPU; two runs on Cuda are the same bits.
template <class Net, class R>
Apart cuda_from_cpu(const Net& net, const R& rule, const Shape<4>& images, int classes) {
  const auto cuda = train_steps<Cuda>(net, rule, images, classes);
  CHECK(train_steps<Cuda>(net, rule, images, classes) == cuda);
  return apart(cuda, train_steps<Cpu>(net, rule, images, classes));
}

}  // namespace ebb::test
