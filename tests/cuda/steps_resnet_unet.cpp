#include "tests/support/gpu_emulator.hpp"

#include <ebb/models/resnet.hpp>
#include <ebb/models/unet.hpp>

#include "tests/cuda/steps.hpp"

using namespace ebb;

namespace {

template <class Net>
void check_steps(const Net& net, const Shape<4>& images, int classes) {
  const auto apart =
      test::cuda_from_cpu(net, optim::Sgd{.lr = 0.05, .momentum = 0.9}, images, classes);
  CHECK(apart.losses <= 1e-5);
  CHECK(apart.state <= 1e-5);
}

}  // namespace

TEST_CASE("cuda: steps of a narrow ResNet agree with the CPU") {
  default_generator() = {12, 0};
  const models::ResNet<models::BasicBlock<>> net(
      {1, 1, 1, 1}, {.channels = 1, .classes = 3, .small_images = true, .width = 2});
  check_steps(net, Shape<4>{4, 1, 16, 16}, 3);
}

TEST_CASE("cuda: steps of a narrow U-Net agree with the CPU") {
  default_generator() = {13, 0};
  const models::UNet<> net({.base = 2, .depth = 2});
  check_steps(net, Shape<4>{2, 1, 16, 16}, 2);
}
