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

const Shape<4> images{9, 1, 8, 8};

}  // namespace

TEST_CASE("cuda: steps of the tutorial's CNN agree with the CPU") {
  const auto sgd = test::cuda_from_cpu(cnn(), optim::Sgd{.lr = 0.05, .momentum = 0.9}, images, 5);
  CHECK(sgd.losses <= 1e-5);
  CHECK(sgd.state <= 1e-5);
  const auto adam = test::cuda_from_cpu(cnn(), optim::Adam{.lr = 0.002}, images, 5);
  CHECK(adam.losses <= 1e-5);
  CHECK(adam.state <= 1e-5);
}

// An operand is rounded by up to 2^-11 of itself (tf32) or 2^-8 (bf16); sums of products, each of
// two operands, through forward and backward pass stay within some times that of the largest
// number. Below, that is 4 times or 2 times; that they are apart at all shows that tensor cores
// were used.
TEST_CASE("cuda: steps on tensor cores stay within the rounding of their operands") {
  const optim::Sgd rule{.lr = 0.05, .momentum = 0.9};
  const auto cpu = test::train_steps<Cpu>(cnn(), rule, images, 5, 2);
  const auto apart = [&](cuda::Precision precision) {
    const cuda::PrecisionScope scope(precision);
    return test::apart(test::train_steps<Cuda>(cnn(), rule, images, 5, 2), cpu);
  };
  const auto tf32 = apart(cuda::Precision::tf32), bf16 = apart(cuda::Precision::bf16);
  CHECK(tf32.losses <= 4 * std::ldexp(1.0, -11));
  CHECK(tf32.state <= 4 * std::ldexp(1.0, -11));
  CHECK(bf16.losses <= 2 * std::ldexp(1.0, -8));
  CHECK(bf16.state <= 2 * std::ldexp(1.0, -8));
  CHECK(tf32.state > 1e-6);
  CHECK(bf16.state > tf32.state);
}
