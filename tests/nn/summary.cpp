#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>

#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {
/// The tutorial's network.
struct Cnn {
  nn::Conv2d<> conv1{1, 16, 3, {.padding = 1}}, conv2{16, 32, 3, {.padding = 1}};
  nn::Linear<> fc1{32 * 28 * 28, 64}, fc2{64, 10};
  auto operator()(const auto& x) const {
    return fc2(relu(fc1(flatten(relu(conv2(relu(conv1(x))))))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};
}  // namespace

TEST_CASE("the summary of the tutorial's network") {
  const Cnn net;
  const auto s = nn::summary(net, Shape{1, 1, 28, 28});
  // sum(p.numel() for p in net.parameters()) = 1611146
  CHECK(s.parameters == 160 + 4640 + 1605696 + 650);
  CHECK(s.trainable == s.parameters);
  CHECK(s.parameter_bytes == 4 * 1611146);
  CHECK(s.macs == 28 * 28 * 16 * 9 + 28 * 28 * 32 * 16 * 9 + 25088 * 64 + 64 * 10);
  REQUIRE(s.rows.size() == 8);
  CHECK(s.rows[0].layer == "conv1");
  CHECK(s.rows[0].op == "conv2d");
  CHECK(s.rows[0].shape == "(1, 16, 28, 28)");
  CHECK(s.rows[0].parameters == 160);
  CHECK(s.rows[0].bytes == 4 * 16 * 28 * 28);
  CHECK(s.rows[2].parameters == 4640);
  CHECK(s.rows[5].layer == "fc1");
  CHECK(s.rows[5].parameters == 1605696);
  CHECK(s.rows[5].macs == 25088 * 64);
  CHECK(s.rows[7].parameters == 650);
  CHECK(net.conv1.weight.name() == "conv1.weight");
  const std::string table = to_string(s);
  CHECK_THAT(table, Contains("conv2  conv2d     (1, 32, 28, 28)       4,640      3,612,672\n"));
  CHECK_THAT(table, Contains("parameters: 1,611,146 (6.1 MiB)\n"));
  CHECK_THAT(table, Contains("multiply-adds: 5,331,840\n"));
  // A batch multiplies the work, and not the parameters.
  const auto two = nn::summary(net, Shape{2, 1, 28, 28});
  CHECK(two.macs == 2 * s.macs);
  CHECK(two.activation_bytes == 2 * s.activation_bytes);
  CHECK(two.parameters == s.parameters);
}

TEST_CASE("a summary disturbs neither statistics, nor modes, nor random numbers") {
  nn::Sequential net(nn::Linear<>(4, 3), nn::BatchNorm1d<>(3), nn::Dropout<>(0.5));
  nn::train(net);
  nn::freeze(net.get<0>());
  const Generator before = default_generator();
  const auto s = nn::summary(net, Shape{1, 4});  // batch norm could not train on one sample
  CHECK(default_generator() == before);
  CHECK(net.get<1>().num_batches_tracked.value().item() == 0);
  CHECK(net.get<1>().mode == nn::Mode::train);
  CHECK(s.parameters == 15 + 6);
  CHECK(s.trainable == 6);
  REQUIRE(s.rows.size() == 2);
  CHECK(s.rows[0].parameters == 15);
  CHECK(s.rows[1].layer == "1");
  CHECK_THAT(to_string(s), Contains("of which 6 are trained"));
  CHECK_THROWS_AS(nn::summary(net, Shape{1, 5}), ShapeError);
  CHECK(default_generator() == before);
  // In double.
  CHECK(nn::summary<double>(nn::Linear<double>(2, 2), Shape{1, 2}).parameter_bytes == 48);
}
