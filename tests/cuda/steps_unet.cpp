#include "tests/support/gpu_emulator.hpp"

#include <ebb/models/unet.hpp>

#include "tests/cuda/steps.hpp"

using namespace ebb;

TEST_CASE("cuda: steps of a narrow U-Net agree with the CPU") {
  default_generator() = {13, 0};
  const models::UNet<> net({.base = 2, .depth = 2});
  const auto apart =
      test::cuda_from_cpu(net, optim::Sgd{.lr = 0.05, .momentum = 0.9}, Shape<4>{2, 1, 16, 16}, 2);
  CHECK(apart.losses <= 1e-5);
  CHECK(apart.state <= 1e-5);
}
