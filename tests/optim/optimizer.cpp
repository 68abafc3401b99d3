// Layers that nobody trains are named.
#include <ebb/optim/optimizer.hpp>

#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/sgd.hpp>
#include <ebb/tape/backward.hpp>

#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

/// Its visit() forgets a layer; another is in visit(), but not in the call.
struct Net {
  nn::Linear<> first{3, 4}, forgotten{4, 5}, last{5, 2}, idle{2, 2};
  auto operator()(const auto& x) const { return last(relu(forgotten(relu(first(x))))); }
  static void visit(auto& self, auto&& f) {
    f("first", self.first);
    f("last", self.last);
    f("idle", self.idle);
  }
};

const Tensor<float, 2> x({2, 3}, {1, 2, 3, -1, 0, 1});

template <class... Nets>
void pass(const Nets&... nets) {
  Tape tape;
  backward((mean(square(nets(tape.input(x)))) + ...));
}

}  // namespace

TEST_CASE("the first step names a layer that visit forgets") {
  Net net;
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  pass(net);
  const auto before = net.last.bias.value().values();
  const auto refused = [&] {
    CHECK_THROWS_WITH(
        opt.step(),
        Contains("sgd: the loss taught the parameter of shape (5, 4), used by 'linear'"));
    CHECK_THROWS_WITH(opt.step(), Contains("of shape (5)"));
    CHECK(net.last.bias.value().values() == before);
    CHECK(opt.steps() == 0);
  };
  refused();
  // Every way out that the sentence gives.
  SECTION("an optimizer of its own") {
    const optim::Optimizer other(net.forgotten, optim::Sgd{.lr = 0.1});
    opt.step();
  }
  SECTION("frozen") {
    nn::freeze(net.forgotten);
    opt.step();
  }
  SECTION("untrained on purpose") {
    optim::untrained(net.forgotten);
    opt.step();
  }
  CHECK(opt.steps() == 1);
  CHECK(net.last.bias.value().values() != before);
}

TEST_CASE(
    "two networks with an optimizer each, and parts left out by name, are as they should be") {
  const nn::Linear<> generator(3, 3), judge(3, 1);
  optim::Optimizer first(judge, optim::Sgd{.lr = 0.1}), second(generator, optim::Sgd{.lr = 0.1});
  Tape tape;
  backward(mean(judge(generator(tape.input(x)))));  // reaches both
  first.step();
  second.step();

  const nn::Sequential net(nn::Linear<>(3, 3), nn::Linear<>(3, 1));
  optim::Optimizer head(net, optim::Sgd{.lr = 0.1},
                        [](std::string_view name) { return name.starts_with("1."); });
  pass(net);
  head.step();

  // What another network's own pass left behind is no matter of this optimizer's.
  const nn::Linear<> by_hand(3, 1), trained(3, 1);
  optim::Optimizer opt(trained, optim::Sgd{.lr = 0.1});
  pass(trained);
  pass(by_hand);
  opt.step();
  optim::Optimizer late(trained, optim::Sgd{.lr = 0.1});
  pass(trained, by_hand);
  CHECK_THROWS_AS(late.step(), ValueError);
}

TEST_CASE("parameters that no gradient reaches are told") {
  Net net;
  optim::untrained(net.forgotten);
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  CHECK(opt.unreached().size() == 6);
  pass(net);
  opt.step();
  CHECK(opt.unreached() == std::vector<std::string>{"idle.weight", "idle.bias"});
  const auto summary = nn::summary(net, Shape{1, 3});
  CHECK(summary.unused == std::vector<std::string>{"idle.weight", "idle.bias"});
  CHECK_THAT(to_string(summary), Contains("no gradient reaches it: idle.weight, idle.bias\n"));
  nn::freeze(net.idle);
  CHECK(opt.unreached().empty());
  CHECK(nn::summary(net, Shape{1, 3}).unused.empty());
}
