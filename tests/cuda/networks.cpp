#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/io/state.hpp>
#include <ebb/models/alexnet.hpp>
#include <ebb/models/lenet5.hpp>
#include <ebb/models/medical_cnn.hpp>
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
  check_moving(models::ResNet<models::Bottleneck<>>(
                   {1, 1, 1, 1}, {.channels = 1, .classes = 3, .small_images = true, .width = 2}),
               test::random<float>(Shape<4>{2, 1, 8, 8}, 8));
  check_moving(models::MedicalCnn<>({.width = 2, .dropout = 0.5}),
               test::random<float>(Shape<4>{2, 1, 8, 8}, 8));
  CHECK(to<Cuda>(models::MedicalCnn<>({.width = 2, .dropout = 0.5})).dropout.p == 0.5);
  check_moving(models::LeNet5<>({.classes = 4}), test::random<float>(Shape<4>{1, 1, 28, 28}, 8));
  const models::AlexNet<> alex(
      {.channels = 1, .classes = 3, .small_images = true, .width = 2, .hidden = 4});
  check_moving(alex, test::random<float>(Shape<4>{1, 1, 8, 8}, 8));
  CHECK(to<Cuda>(alex).pool.kernel == Size2(2));
  check_moving(models::UNet<>({.base = 2, .depth = 1, .batch_norm = false}),
               test::random<float>(Shape<4>{1, 1, 8, 8}, 9));
  check_moving(models::UNet<>({.base = 2, .depth = 2}),
               test::random<float>(Shape<4>{1, 1, 8, 8}, 9));
}

TEST_CASE("cuda: a Stack moves with what it holds, and back") {
  nn::Stack<4> net;
  net.add(nn::Conv2d<>(1, 2, 3, {.padding = 1}));
  net.add(nn::BatchNorm2d<>(2, {.eps = 0.5}));
  net.add(relu);
  net.add(nn::Residual(nn::Sequential(nn::Conv2d<>(2, 2, 1), nn::Dropout<>(0.25))));
  net.add(nn::MaxPool2d<>(2, {.stride = 1}));
  nn::Stack<4> inner;
  inner.add(nn::Upsample<>(2, {.mode = nn::Interpolation::bilinear}));
  net.add(inner);
  nn::eval(net);
  net[0].visit(net[0], [](const std::string&, auto& leaf) {
    if constexpr (requires { leaf.set_trainable(false); }) leaf.set_trainable(false);
  });
  const auto x = test::random<float>(Shape<4>{2, 1, 4, 4}, 7);
  check_moving(net, x);
  auto there = to<Cuda>(net);
  CHECK(nn::count_trainable(there) == nn::count_trainable(net));

  // An optimizer stays with the network it was made for, and what it taught comes back.
  const auto before = all_floats(there);
  optim::Optimizer opt(there, optim::Sgd{.lr = 0.5});
  Tape tape;
  backward(sum(square(there(tape.input(to<Cuda>(x))))));
  opt.step();
  CHECK(all_floats(there) != before);
  net = to<Cpu>(there);
  CHECK(all_floats(net) == all_floats(there));
  const auto after = all_floats(there);
  opt.step();  // of the network on the GPU, not of its copy
  CHECK(all_floats(there) != after);
  CHECK(all_floats(net) == after);
  there = to<Cuda>(net);
  CHECK(all_floats(there) == after);

  nn::Stack<2> host;
  host.add([]<class Y>(const Y& y) requires(std::is_same_v<device_of<Y>, Cpu>) { return y; });
  CHECK_THROWS_WITH(to<Cuda>(host), Contains("takes tensors of one device only"));
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

namespace {

/// A network of one's own with settings: no constructor, and `visit` names the parts alone.
template <class Device = Cpu>
struct Settled {
  int times = 1;
  std::string name = "settled";
  nn::Linear<float, Device> fc{4, 4};
  bool leaky = false;
  Tensor<float, 1, Device> offset = Tensor<float, 1, Device>(Shape{4});
  auto operator()(const auto& x) const {
    auto y = fc(x);
    for (int i = 1; i < times; ++i) y = fc(leaky ? leaky_relu(y) : relu(y));
    return y;
  }
  static void visit(auto& self, auto&& f) { f("fc", self.fc); }
};

/// One with a constructor, so that `visit` names all.
template <class Device = Cpu>
class Built {
 public:
  nn::Linear<float, Device> fc;
  double scale = 1;
  std::optional<nn::Linear<float, Device>> more;

  Built() = default;
  explicit Built(Index width) : fc(width, width) {}
  auto operator()(const auto& x) const {
    const auto y = fc(x) * static_cast<float>(scale);
    return more ? (*more)(y) : y;
  }
  static constexpr void visit(auto& self, auto&& f) {
    f("fc", self.fc);
    f("scale", self.scale);
    f("more", self.more);
  }
};

}  // namespace

TEST_CASE("cuda: every setting of the library's layers moves") {
  const auto x = test::random<float>(Shape<4>{2, 4, 8, 8}, 7);
  const auto check = [&x](auto... layers) { check_moving(nn::Sequential(layers...), x); };
  check(nn::Conv2d<>(
      4, 2, 3,
      {.stride = 2, .padding = Size2{3, 1}, .dilation = {1, 2}, .groups = 2, .activation = relu}));
  check(nn::ConvTranspose2d<>(
      4, 2, 3, {.stride = 2, .padding = 1, .output_padding = {1, 0}, .groups = 2, .dilation = 2}));
  check(nn::BatchNorm2d<>(4, {.eps = 0.5, .affine = false, .track_running_stats = false}));
  check(nn::GroupNorm<>(2, 4, {.eps = 0.5}));
  check(nn::LayerNorm<float, Cpu, 2>(Shape{8, 8}, {.eps = 0.5}));
  check(nn::MaxPool2d<>(3, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true}));
  check(nn::AvgPool2d<>(3, {.stride = 2,
                            .padding = 1,
                            .ceil_mode = true,
                            .count_include_pad = false,
                            .divisor_override = 7}));
  check(nn::AdaptiveAvgPool2d<>(Size2{3, 2}), nn::GlobalAvgPool2d<>());
  check(
      nn::Upsample<>(Scale2{2, 1.5}, {.mode = nn::Interpolation::bilinear, .align_corners = true}));
  check(nn::Upsample<>(Size2{3, 9}));
  check(flatten, nn::Linear<>(256, 3, {.bias = false, .activation = relu}));
  auto dropout = nn::Dropout<>(0.75);
  dropout.mode = nn::Mode::train;
  const auto there = to<Cuda>(dropout);
  CHECK(there.p == 0.75);
  CHECK(there.mode == nn::Mode::train);
}

TEST_CASE("cuda: settings move with a network of one's own, and no weight is drawn") {
  const auto x = test::random<float>(Shape<2>{3, 4}, 7);
  Settled<> net{.times = 3, .name = "mine", .leaky = true, .offset = Tensor<float, 1>({1}, {2})};
  Built<> built(4);
  built.scale = 2.5;
  built.more.emplace(4, 2);
  const Generator before = default_generator();
  const auto there = to<Cuda>(net);
  const auto built_there = to<Cuda>(built);
  CHECK(default_generator().stream() == Generator(before).stream());
  default_generator() = before;
  CHECK(there.times == 3);
  CHECK(there.name == "mine");
  CHECK(there.leaky);
  CHECK(there.offset.values() == std::vector<float>{2});
  CHECK(all_floats(there) == all_floats(net));
  CHECK(test::deviation(there(to<Cuda>(x)), net(x)) <= test::near_float);
  const auto back = to<Cpu>(there);
  CHECK(back(x).values() == net(x).values());
  CHECK(back.times == 3);
  CHECK(built_there.scale == 2.5);
  CHECK(built_there.more.has_value());
  CHECK(to<Cpu>(built_there)(x).values() == built(x).values());
}
