// What a training step holds at its peak, counted, not timed. (The peak is one of the whole
// process, so nothing else is tested here.)
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/ops/loss/cross_entropy.hpp>
#include <ebb/ops/shape/flatten.hpp>
#include <ebb/optim/optimizer.hpp>
#include <ebb/optim/sgd.hpp>
#include <ebb/tape/backward.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;

namespace {

/// The tutorial's CNN.
struct Net {
  nn::Conv2d<> conv1{1, 16, 3, {.padding = 1}}, conv2{16, 32, 3, {.padding = 1}};
  nn::Linear<> fc1{32 * 28 * 28, 64}, fc2{64, 10};

  auto operator()(const auto& x) const {
    const auto features = relu(conv2(relu(conv1(x))));
    return fc2(relu(fc1(flatten(features))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

}  // namespace

TEST_CASE("training the tutorial's CNN on batches of 64 fits into 48 MiB", "[training][memory]") {
  constexpr std::size_t mib = 1024 * 1024;
  const auto before = Cpu::stats().bytes_in_use;
  const test::Threads two(2);
  manual_seed(1);
  {
    Net net;
    optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.01, .momentum = 0.9});
    const auto weights = Cpu::stats().bytes_in_use;
    CHECK(weights < 14 * mib);
    const auto x = test::random<float>(Shape{64, 1, 28, 28});
    Tensor<int, 1> y(Shape{64});
    for (Index i = 0; i < 64; ++i) y(i) = static_cast<int>(i % 10);
    std::size_t after_first = 0;
    for (int step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      Tape tape;
      const auto loss = cross_entropy(net(tape.input(x)), y);
      // The two feature maps that the way back needs, of 3 and 6 MiB, and no third.
      CHECK(Cpu::stats().bytes_in_use < weights + 11 * mib);
      backward(loss);
      // All that is left of them is gradients of parameters.
      CHECK(Cpu::stats().bytes_in_use < weights + 7 * mib);
      optimizer.step();
      if (step == 0) after_first = Cpu::stats().allocations;
    }
    CHECK(Cpu::stats().allocations == after_first);
    CHECK(Cpu::stats().bytes_peak < 48 * mib);
  }
  CHECK(Cpu::stats().bytes_in_use == before);
}
