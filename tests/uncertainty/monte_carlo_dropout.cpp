#include <ebb/uncertainty/monte_carlo_dropout.hpp>

#include <ebb/nn/batch_norm.hpp>
#include <ebb/nn/dropout.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/stack.hpp>
#include <ebb/ops/elementwise/relu.hpp>

#include "tests/support/match.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::test;
using uncertainty::monte_carlo_dropout;

namespace {

struct Net {
  nn::Linear<double> fc1{5, 8}, fc2{8, 3};
  nn::Dropout<double> drop;
  explicit Net(double p) : drop(p) {}
  auto operator()(const auto& x) const { return fc2(drop(relu(fc1(x)))); }
  static void visit(auto& self, auto&& f) {
    f("fc1", self.fc1);
    f("drop", self.drop);
    f("fc2", self.fc2);
  }
};

}  // namespace

TEST_CASE("monte_carlo_dropout: the mean of passes as they are made in training", "[uncertainty]") {
  manual_seed(3);
  const Net net(0.4);
  const auto x = random<double>(Shape{6, 5}, 1);
  const auto before = default_generator();
  const auto found = monte_carlo_dropout(net, x, {.samples = 20, .seed = 9});
  CHECK(default_generator() == before);
  CHECK(found.members == 20);

  Net copy = net;
  nn::train(copy);
  std::vector<double> mean(18);
  for (std::uint64_t s = 0; s < 20; ++s) {
    default_generator() = {9, s << 32};
    const auto p = softmax(copy(x), 1).values();
    for (std::size_t i = 0; i < 18; ++i) mean[i] += p[i] / 20;
  }
  CHECK(difference(found.mean, mean) < 1e-14);
  bool some = false;
  for (Index i = 0; i < 6; ++i) {
    CHECK(found.disagreement(i) <= found.entropy(i));
    some = some || found.disagreement(i) > 1e-3;
  }
  CHECK(some);
  CHECK(same_bits(monte_carlo_dropout(net, x, {.samples = 20, .seed = 9}).mean, found.mean));
  CHECK_FALSE(same_bits(monte_carlo_dropout(net, x, {.samples = 20, .seed = 8}).mean, found.mean));
  CHECK(same_for_any_threads(
      [&] { return monte_carlo_dropout(net, x, {.samples = 20, .seed = 9}).mean; }));
  CHECK(net.drop.mode == nn::Mode::automatic);
}

TEST_CASE("monte_carlo_dropout: only dropout drops", "[uncertainty]") {
  // Batch norm of the batch's statistics would differ from that of the running ones.
  nn::Stack<2, double> net;
  net.add(nn::Linear<double>(5, 8)).add(nn::BatchNorm1d<double>(8)).add(nn::Dropout<double>(0.0));
  net.add(nn::Linear<double>(8, 3));
  const auto x = random<double>(Shape{6, 5}, 1);
  const auto found = monte_carlo_dropout(net, x, {.samples = 3});
  CHECK(difference(found.mean, softmax(net(x), 1)) < 1e-14);
  for (Index i = 0; i < 6; ++i) CHECK(found.disagreement(i) == Approx(0).margin(1e-14));

  const Net none(0.5);
  CHECK_THROWS_WITH(monte_carlo_dropout(none.fc1, x), contains("no dropout layer"));
  CHECK_THROWS_WITH(monte_carlo_dropout(none, x, {.samples = 0}), contains("0 samples"));
}
