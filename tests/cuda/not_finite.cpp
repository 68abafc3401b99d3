// Updates that the GPU leaves out because the gradients are not finite.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/train/evaluate.hpp>

#include "tests/support/catch.hpp"

#include <limits>

using namespace ebb;

namespace {

/// So many parameters that one launch does not take them all; the loss is the sum of x * weights.
template <class Device>
struct Many {
  std::vector<Param<Tensor<float, 1, Device>>> all;
  Many() {
    for (int i = 0; i < 100; ++i)
      all.emplace_back(to<Device>(Tensor<float, 1>({2}, {static_cast<float>(i), 1.0f})));
  }
  auto operator()(const auto& x) const {
    auto total = sum(x * all[0]);
    for (std::size_t i = 1; i < all.size(); ++i) total = total + sum(x * all[i]);
    return total;
  }
  static void visit(auto& self, auto&& f) {
    int i = 0;
    for (auto& part : self.all) f("p" + std::to_string(i++), part);
  }
};

constexpr float infinity = std::numeric_limits<float>::infinity();
/// x of each step; two of them spoil every gradient.
const std::vector<std::vector<float>> inputs = {
    {1, 2}, {infinity, 1}, {0.5f, -1}, {2, std::numeric_limits<float>::quiet_NaN()}, {1, 1}};

/// Weights, state and counts after those steps.
template <class Device>
std::vector<double> after_steps(bool captured) {
  Many<Device> net;
  optim::Optimizer opt(net, optim::Adam{.lr = 0.1});
  const auto one = [&](const auto& x) {
    Tape tape;
    const auto loss = net(tape.input(x));
    opt.zero_grad();
    backward(loss);
    if constexpr (std::is_same_v<Device, Cuda>)
      opt.step_if_finite(optim::clip_grad_norm<Cuda>(net, 1.0));
    else
      opt.step_if_finite(optim::clip_grad_norm(net, 1.0));
    return loss;
  };
  const auto run = [&](auto&& step) {
    for (const auto& numbers : inputs) step(Tensor<float, 1, Device>::from({2}, numbers));
  };
  if constexpr (std::is_same_v<Device, Cuda>) {
    if (captured)
      run(capture(one, Tensor<float, 1>({2})));
    else
      run(one);
  } else {
    run(one);
  }
  std::vector<double> result{static_cast<double>(opt.skipped_steps()),
                             static_cast<double>(opt.steps())};
  for (const auto& part : net.all)
    for (const float w : part.value().values()) result.push_back(static_cast<double>(w));
  opt.template visit_state<Device>([&](const std::string&, auto& x) {
    for (const auto v : x.values()) result.push_back(static_cast<double>(v));
  });
  return result;
}

}  // namespace

TEST_CASE("cuda: the GPU leaves out updates by gradients that are not finite") {
  const auto cpu = after_steps<Cpu>(false), cuda = after_steps<Cuda>(false);
  CHECK(cpu[0] == 2);
  CHECK(cpu[1] == 5);
  REQUIRE(cuda.size() == cpu.size());
  for (std::size_t i = 0; i < cpu.size(); ++i)
    CHECK(std::fabs(cuda[i] - cpu[i]) <= 1e-5 * (1 + std::fabs(cpu[i])));
  CHECK(after_steps<Cuda>(true) == cuda);
#if defined(EBB_GPU_EMULATOR)
  gpu::emulator::config.late = true;
  CHECK(after_steps<Cuda>(true) == cuda);
  gpu::emulator::config.late = false;
#endif
}

TEST_CASE("cuda: the captured step of a network leaves out bad updates where asked") {
  const Tensor<float, 2> good({2, 3}, {1, 2, 3, 4, 5, 6}), bad({2, 3}, {1, 2, infinity, 4, 5, 6});
  const Tensor<int, 1> labels({2}, {0, 1});
  for (const double clip : {0.0, 1.0}) {
    nn::Linear<float, Cuda> net(3, 2);
    optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
    auto step = capture(net, opt, CrossEntropy{}, good, labels,
                        {.clip_norm = clip, .skip_not_finite = true});
    for (int i = 0; i < 3; ++i) step(good, labels);
    const auto before = net.weight.value().values();
    step(bad, labels);
    CHECK(net.weight.value().values() == before);
    CHECK(opt.skipped_steps() == 1);
    step(good, labels);
    CHECK(net.weight.value().values() != before);
    CHECK(opt.skipped_steps() == 1);
    CHECK(opt.steps() == 5);
  }
}

TEST_CASE("cuda: a norm on another device than the parameters is refused") {
  nn::Linear<float> net(2, 1);
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  CHECK_THROWS_WITH((opt.step_if_finite(Tensor<double, 1, Cuda>::ones({1}))),
                    Catch::Matchers::Contains("a norm on device cuda"));
}
