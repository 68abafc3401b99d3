#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/steps.hpp"

using namespace ebb;

namespace {

/// The tutorial's network, smaller, with what else a network has. (No bias before a batch norm: its
/// gradient is zero but for rounding, which Adam would blow up to whole steps.)
auto cnn() {
  default_generator() = {11, 0};
  return nn::Sequential(nn::Conv2d<>(1, 4, 3, {.padding = 1}), relu,
                        nn::Conv2d<>(4, 6, 3, {.padding = 1, .bias = false}), nn::BatchNorm2d<>(6),
                        relu, nn::MaxPool2d<>(2), flatten, nn::Linear<>(96, 16), relu,
                        nn::Dropout<>(0.25), nn::Linear<>(16, 5));
}

template <class R>
test::Apart difference(const R& rule) {
  const auto net = cnn();
  const Shape<4> images{9, 1, 8, 8};
  const auto cpu = test::train_steps<Cpu>(net, rule, images, 5);
  const auto cuda = test::train_steps<Cuda>(net, rule, images, 5);
  CHECK(test::train_steps<Cuda>(net, rule, images, 5) == cuda);
  return test::apart(cuda, cpu);
}

}  // namespace

TEST_CASE("cuda: steps of the tutorial's CNN agree with the CPU") {
  const auto sgd = difference(optim::Sgd{.lr = 0.05, .momentum = 0.9});
  CHECK(sgd.losses <= 1e-5);
  CHECK(sgd.state <= 1e-5);
  const auto adam = difference(optim::Adam{.lr = 0.002});
  CHECK(adam.losses <= 1e-5);
  CHECK(adam.state <= 1e-5);
}
