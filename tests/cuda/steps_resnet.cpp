#include "tests/support/gpu_emulator.hpp"

#include <ebb/models/resnet.hpp>

#include "tests/cuda/steps.hpp"

using namespace ebb;

TEST_CASE("cuda: steps of a narrow ResNet agree with the CPU") {
  default_generator() = {12, 0};
  const models::ResNet<models::BasicBlock<>> net(
      {1, 1, 1, 1}, {.channels = 1, .classes = 3, .small_images = true, .width = 2});
  const auto apart =
      test::cuda_from_cpu(net, optim::Sgd{.lr = 0.05, .momentum = 0.9}, Shape<4>{4, 1, 16, 16}, 3);
  CHECK(apart.losses <= 1e-5);
  CHECK(apart.state <= 1e-5);
}
