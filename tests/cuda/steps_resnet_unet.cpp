#include "tests/support/gpu_emulator.hpp"

#include <ebb/models/resnet.hpp>
#include <ebb/models/unet.hpp>

#include "tests/cuda/steps.hpp"

using namespace ebb;

namespace {

template <class Net, class R>
void check_steps(const Net& net, const R& rule, const Shape<4>& images, int classes) {
  const auto cpu = test::train_steps<Cpu>(net, rule, images, classes);
  const auto cuda = test::train_steps<Cuda>(net, rule, images, classes);
  CHECK(test::train_steps<Cuda>(net, rule, images, classes) == cuda);
  const auto found = test::apart(cuda, cpu);
  CHECK(found.losses <= 1e-5);
  CHECK(found.state <= 1e-5);
}

}  // namespace

TEST_CASE("cuda: steps of a narrow ResNet agree with the CPU") {
  default_generator() = {12, 0};
  const models::ResNet<models::BasicBlock<>> net(
      {1, 1, 1, 1}, {.channels = 1, .classes = 3, .small_images = true, .width = 2});
  check_steps(net, optim::Sgd{.lr = 0.05, .momentum = 0.9}, Shape<4>{4, 1, 16, 16}, 3);
}

TEST_CASE("cuda: steps of a narrow U-Net agree with the CPU") {
  default_generator() = {13, 0};
  const models::UNet<> net({.base = 2, .depth = 2});
  check_steps(net, optim::Sgd{.lr = 0.05, .momentum = 0.9}, Shape<4>{2, 1, 16, 16}, 2);
}
