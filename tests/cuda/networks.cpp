#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/io/state.hpp>
#include <ebb/models/resnet.hpp>
#include <ebb/models/unet.hpp>

#include "tests/cuda/compare.hpp"
#include "tests/support/catch.hpp"

#include <cstdio>

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

template <class Net>
std::vector<float> all_floats(const Net& net) {
  std::vector<float> all;
  nn::visit_state(net, [&](const std::string&, const auto& x) {
    for (const auto v : x.value().values()) all.push_back(static_cast<float>(v));
  });
  return all;
}

/// A network of one's own: a template of the device, made without arguments.
template <class Device = Cpu>
struct Own {
  nn::Conv2d<float, Device> conv{1, 3, 3, {.padding = 1}};
  std::vector<nn::BatchNorm2d<float, Device>> norms;
  nn::Linear<float, Device> fc{48, 5};
  nn::Mode mode = nn::Mode::automatic;
  auto operator()(const auto& x) const {
    auto y = conv(x);
    for (const auto& norm : norms) y = relu(norm(y));
    return fc(flatten(y));
  }
  static void visit(auto& self, auto&& f) {
    f("conv", self.conv);
    f("norms", self.norms);
    f("fc", self.fc);
    f("mode", self.mode);
  }
};

/// There, here again, and the same numbers from both.
template <class Net>
void check_moving(const Net& net, const Tensor<float, 4>& x) {
  const auto there = to<Cuda>(net);
  CHECK(all_floats(there) == all_floats(net));
  CHECK(test::deviation(there(to<Cuda>(x)), net(x)) <= test::near_float);
  const auto back = to<Cpu>(there);
  static_assert(std::is_same_v<decltype(back), const Net>);
  CHECK(all_floats(back) == all_floats(net));
  CHECK(back(x).values() == net(x).values());
}

}  // namespace

TEST_CASE("cuda: to<Cuda>(net) moves a network with its options, and back") {
  const auto x = test::random<float>(Shape<4>{2, 1, 4, 4}, 7);
  const auto block = [] {
    return nn::Residual(
        nn::Sequential(nn::Conv2d<>(2, 2, 3, {.padding = 1}), nn::GroupNorm<>(2, 2)));
  };
  check_moving(nn::Sequential(nn::Conv2d<>(1, 2, 3, {.padding = 1, .bias = false}),
                              nn::BatchNorm2d<>(2, {.eps = 0.5}), relu, block(), nn::MaxPool2d<>(2),
                              flatten, nn::LayerNorm<>(8), nn::Dropout<>(0.25), nn::Linear<>(8, 3)),
               x);
  Own<> own;
  own.norms.emplace_back(3, nn::NormOptions{.eps = 0.25});
  nn::eval(own);
  check_moving(own, x);
  CHECK(to<Cuda>(own).mode == nn::Mode::eval);
  own.conv.weight.set_trainable(false);
  CHECK(!to<Cuda>(own).conv.weight.trainable());
  static_assert(
      std::is_same_v<nn::on_device<models::ResNet18<>, Cuda>, models::ResNet18<float, Cuda>>);
}

TEST_CASE("cuda: the library's models move as they are") {
  using Block = models::BasicBlock<>;
  check_moving(models::ResNet<Block>(
                   {1, 1, 1, 1}, {.channels = 1, .classes = 3, .small_images = true, .width = 2}),
               test::random<float>(Shape<4>{2, 1, 8, 8}, 8));
  CHECK(to<Cuda>(models::UNet<>({.base = 2, .depth = 1, .checkpoint = true})).checkpointed);
  check_moving(models::UNet<>({.base = 2, .depth = 2}),
               test::random<float>(Shape<4>{1, 1, 8, 8}, 9));
}

TEST_CASE("cuda: weights are saved from the GPU and loaded to it") {
  const std::string path = "cuda_networks.safetensors";
  Own<Cuda> net, other;
  io::save(net, path);
  CHECK(all_floats(other) != all_floats(net));
  io::load(other, path);
  CHECK(all_floats(other) == all_floats(net));
  Own<> here;
  io::load(here, path);
  CHECK(all_floats(here) == all_floats(net));
  std::remove(path.c_str());
}
