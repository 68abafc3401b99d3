// Each layer: its operation with its parameters, its defaults, and what it refuses.
#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>

#include <cmath>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using Catch::Matchers::Contains;
using test::random;

namespace {

template <class Tens>
void check_same(const Tens& found, const Tens& expected) {
  REQUIRE(found.shape() == expected.shape());
  CHECK(found.values() == expected.values());
}

/// All values within +-bound, and spread over that interval.
template <class P>
void check_uniform(const P& p, double bound) {
  double low = 0, high = 0;
  for (const auto v : p.value().values()) {
    low = std::min(low, static_cast<double>(v));
    high = std::max(high, static_cast<double>(v));
  }
  CHECK(low >= -bound);
  CHECK(high <= bound);
  CHECK(low < -0.8 * bound);
  CHECK(high > 0.8 * bound);
}

}  // namespace

TEST_CASE("linear") {
  const nn::Linear<double> layer(4, 3);
  const auto x = random<double>(Shape{2, 4});
  check_same(layer(x), linear(x, layer.weight.value(), layer.bias.value()));
  CHECK(layer(random<double>(Shape{2, 5, 4})).shape() == Shape{2, 5, 3});
  CHECK_GRADIENTS(layer, x);
  const nn::Linear<double> bare(4, 3, {.bias = false});
  CHECK_FALSE(bare.bias.defined());
  check_same(bare(x), linear(x, bare.weight.value()));
  CHECK_GRADIENTS(bare, x);

  const nn::Linear<> wide(100, 50);  // PyTorch: kaiming_uniform_(a=sqrt(5)), so 1 / sqrt(fan_in)
  check_uniform(wide.weight, 0.1);
  check_uniform(wide.bias, 0.1);
  CHECK_THROWS_WITH((nn::Linear<>(0, 3)), Contains("linear: in = 0 must be at least 1"));
  CHECK_THROWS_AS((nn::Linear<>(3, -1)), ValueError);
}

TEST_CASE("conv2d") {
  const nn::Conv2d<double> layer(2, 4, {3, 2}, {.stride = {2, 1}, .padding = 1, .groups = 2});
  CHECK(layer.weight.shape() == Shape{4, 1, 3, 2});
  const auto x = random<double>(Shape{2, 2, 5, 4});
  check_same(layer(x), conv2d(x, layer.weight.value(), layer.bias.value(),
                              {.stride = {2, 1}, .padding = 1, .groups = 2}));
  CHECK_GRADIENTS(layer, x);
  const nn::Conv2d<double> same_size(2, 3, 3, {.padding = same, .bias = false});
  CHECK(same_size(x).shape() == Shape{2, 3, 5, 4});
  CHECK_FALSE(same_size.bias.defined());

  const nn::Conv2d<> wide(4, 64, 5);
  check_uniform(wide.weight, 0.1);
  check_uniform(wide.bias, 0.1);
  CHECK_THROWS_WITH((nn::Conv2d<>(3, 4, 3, {.groups = 2})),
                    Contains("conv2d: groups = 2 must divide both the 3 input and the 4 output"));
  CHECK_THROWS_WITH((nn::Conv2d<>(3, 4, 0)), Contains("kernel"));
  CHECK_THROWS_AS((nn::Conv2d<>(0, 4, 3)), ValueError);
}

TEST_CASE("conv_transpose2d") {
  const nn::ConvTranspose2d<double> layer(
      4, 2, 3, {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2});
  CHECK(layer.weight.shape() == Shape{4, 1, 3, 3});
  const auto x = random<double>(Shape{1, 4, 3, 2});
  CHECK(layer(x).shape() == Shape{1, 2, 6, 4});
  CHECK_GRADIENTS(layer, x);
  const nn::ConvTranspose2d<> wide(64, 4, 5);  // PyTorch counts fan_in on axis 1 here too
  check_uniform(wide.weight, 0.1);
  check_uniform(nn::ConvTranspose2d<>(2, 100, 1).bias, 0.1);
  CHECK_THROWS_AS((nn::ConvTranspose2d<>(3, 4, 3, {.groups = 3})), ValueError);
}

TEST_CASE("batch norm trains on variables and evaluates on tensors") {
  nn::BatchNorm1d<double> bn(3);
  const auto x = random<double>(Shape{4, 3});
  // Before any training the statistics are mean 0 and variance 1.
  const auto y = bn(x);
  CHECK(y(0, 0) == Approx(x(0, 0) / std::sqrt(1 + 1e-5)));
  CHECK(bn.num_batches_tracked.value().item() == 0);

  Tape tape;
  const auto trained = bn(tape.input(x)).value();
  double column = 0, mean = 0, square = 0;
  for (Index i = 0; i < 4; ++i) {
    column += trained(i, 1);
    mean += x(i, 1) / 4;
    square += x(i, 1) * x(i, 1) / 4;
  }
  CHECK(std::abs(column) < 1e-12);
  CHECK(bn.running_mean.value()(1) == Approx(0.1 * mean));
  CHECK(bn.running_var.value()(1) == Approx(0.9 + 0.1 * (square - mean * mean) * 4 / 3));
  CHECK(bn.num_batches_tracked.value().item() == 1);

  nn::train(bn);
  bn(x);
  CHECK(bn.num_batches_tracked.value().item() == 2);
  nn::eval(bn);
  bn(tape.input(x));
  CHECK(bn.num_batches_tracked.value().item() == 2);

  nn::train(bn);
  CHECK_GRADIENTS(bn, x);
  CHECK_GRADIENTS(nn::BatchNorm2d<double>(2), random<double>(Shape{2, 2, 2, 3}));
  CHECK_THROWS_WITH(bn(tape.input(random<double>(Shape{1, 3}))), Contains("one value per channel"));

  tape.set_replays(true);  // a repeated pass counts once
  const auto before = bn.running_mean.value().values();
  const auto count = bn.num_batches_tracked.value().item();
  bn(tape.input(x));
  CHECK(bn.num_batches_tracked.value().item() == count);
  CHECK(bn.running_mean.value().values() == before);
}

TEST_CASE("batch norm without parameters or statistics") {
  const nn::BatchNorm2d<> plain(3, {.affine = false, .track_running_stats = false});
  CHECK(nn::count_parameters(plain) == 0);
  int buffers = 0;
  nn::visit_buffers(plain, [&](const std::string&, auto&) { ++buffers; });
  CHECK(buffers == 0);
  const auto x = random<float>(Shape{2, 3, 2, 2});
  float sum = 0;
  const auto y = plain(x);  // the batch's statistics, as nothing else is known
  for (Index n = 0; n < 2; ++n)
    for (Index i = 0; i < 4; ++i) sum += y(n, 1, i / 2, i % 2);
  CHECK(std::abs(sum) < 1e-5f);
  CHECK_THROWS_WITH(nn::BatchNorm1d<>(0), Contains("batch_norm1d: channels = 0"));
  CHECK_THROWS_WITH(nn::BatchNorm1d<>(1, {.momentum = 2}), Contains("momentum = 2"));
}

TEST_CASE("layer norm and group norm") {
  const auto x = random<double>(Shape{2, 4, 3});
  const nn::LayerNorm<double> last(3);
  check_same(last(x), layer_norm(x, Shape{3}));
  CHECK_GRADIENTS(last, x);
  const nn::LayerNorm<double, Cpu, 2> two(Shape{4, 3}, {.eps = 1e-3, .affine = false});
  check_same(two(x), layer_norm(x, Shape{4, 3}, 1e-3));
  CHECK(nn::count_parameters(two) == 0);
  const nn::GroupNorm<double> groups(2, 4);
  check_same(groups(x), group_norm(x, 2));
  CHECK_GRADIENTS(groups, x);
  CHECK_THROWS_WITH((nn::GroupNorm<>(3, 4)), Contains("groups = 3 must divide the 4 channels"));
  CHECK_THROWS_AS(nn::LayerNorm<>(0), ValueError);
}

TEST_CASE("dropout drops on variables and hands tensors on") {
  manual_seed(5);
  nn::Dropout<> half;
  const auto x = Tensor<float, 1>::ones({10000});
  check_same(half(x), x);
  Tape tape;
  const auto kept = [](const Tensor<float, 1>& y) {
    int count = 0;
    for (const float v : y.values()) {
      CHECK((v == 0 || v == 2));
      count += v != 0;
    }
    return count;
  };
  const auto first = half(tape.input(x)).value(), second = half(tape.input(x)).value();
  CHECK(std::abs(kept(first) - 5000) < 200);
  CHECK(first.values() != second.values());  // a fresh stream at every call
  manual_seed(5);
  check_same(half(tape.input(x)).value(), first);
  nn::eval(half);
  check_same(half(tape.input(x)).value(), x);
  nn::train(half);
  CHECK(std::abs(kept(half(x)) - 5000) < 200);
  CHECK_THROWS_WITH(nn::Dropout<>(1.5), Contains("p = 1.5"));
  CHECK_THROWS_AS(nn::Dropout<>(std::nan("")), ValueError);
}

TEST_CASE("pooling and upsampling layers are their operations") {
  const auto x = random<float>(Shape{2, 3, 6, 5});
  check_same(nn::MaxPool2d<>(2)(x), max_pool2d(x, 2));
  check_same(nn::MaxPool2d<>(3, {.stride = 2, .padding = 1})(x),
             max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1}));
  check_same(nn::AvgPool2d<>({2, 3}, {.stride = 1, .count_include_pad = false})(x),
             avg_pool2d(x, {.kernel = {2, 3}, .stride = 1, .count_include_pad = false}));
  check_same(nn::AdaptiveAvgPool2d<>({3, 2})(x), adaptive_avg_pool2d(x, {3, 2}));
  check_same(nn::GlobalAvgPool2d<>()(x), global_avg_pool2d(x));
  check_same(nn::Upsample<>(2)(x), upsample_nearest2d(x, Size2{12, 10}));
  check_same(nn::Upsample<>(Size2{9, 7})(x), upsample_nearest2d(x, Size2{9, 7}));
  check_same(
      nn::Upsample<>(Size2{9, 7}, {.mode = nn::Interpolation::bilinear, .align_corners = true})(x),
      upsample_bilinear2d(x, Size2{9, 7}, true));
  check_same(nn::Upsample<>(2, {.mode = nn::Interpolation::bilinear})(x),
             upsample_bilinear2d(x, Scale2{2}));
}

TEST_CASE("several threads may use one const network at once") {
  const nn::Sequential net(nn::Conv2d<>(1, 4, 3), nn::BatchNorm2d<>(4), relu, nn::Dropout<>(),
                           flatten, nn::Linear<>(64, 3));
  const auto x = random<float>(Shape{5, 1, 6, 6});
  const auto expected = net(x).values();
  std::vector<std::vector<float>> found(4);
  std::vector<std::thread> threads;
  for (auto& result : found)
    threads.emplace_back([&net, &x, &result] {
      for (int i = 0; i < 20; ++i) result = net(x).values();
    });
  for (auto& thread : threads) thread.join();
  for (const auto& result : found) CHECK(result == expected);
}
