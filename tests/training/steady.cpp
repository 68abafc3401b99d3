// What holds for a whole training step, whatever it is made of: no allocations once it is warm, and
// the same bits for any number of threads.
#include <ebb/ebb.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;
using test::random;

namespace {

/// The tutorial's CNN, with everything that could allocate: normalisation, pooling and dropout.
struct Net {
  nn::Conv2d<> conv1{1, 4, 3, {.padding = 1}}, conv2{4, 8, 3, {.padding = 1}};
  nn::BatchNorm2d<> norm{4};
  nn::Dropout<> drop{0.25};
  nn::Linear<> fc1{8 * 6 * 6, 16}, fc2{16, 10};

  auto operator()(const auto& x) const {
    const auto h = relu(norm(conv1(x)));
    const auto pooled = max_pool2d(relu(conv2(h)), {.kernel = 2});
    return fc2(relu(fc1(drop(flatten(pooled)))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("norm", self.norm);
    f("conv2", self.conv2);
    f("drop", self.drop);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

Tensor<int, 1> labels(Index n) {
  Tensor<int, 1> y(Shape{n});
  for (Index i = 0; i < n; ++i) y(i) = static_cast<int>(i % 10);
  return y;
}

template <class Rule>
void check_steady(Rule rule) {
  manual_seed(1);
  Net net;
  optim::Optimizer<Rule> optimizer(net, rule);
  const auto x = random<float>(Shape{20, 1, 12, 12});
  const auto y = labels(20);
  std::size_t after_first = 0;
  for (int step = 0; step < 6; ++step) {
    optimizer.zero_grad();
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(x)), y);
    backward(loss);
    optim::clip_grad_norm(net, 1.0);
    optimizer.step();
    if (step == 0) after_first = Cpu::stats().allocations;
  }
  CHECK(Cpu::stats().allocations == after_first);
}

/// All parameters after a few steps.
std::vector<float> trained_with(int threads) {
  const test::Threads switched(threads);
  manual_seed(1);
  Net net;
  optim::Optimizer<optim::Adam> optimizer(net, {.lr = 1e-2});
  const auto x = random<float>(Shape{33, 1, 12, 12});
  const auto y = labels(33);
  for (int step = 0; step < 4; ++step) {
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(x)), y);
    optimizer.zero_grad();
    backward(loss);
    optimizer.step();
  }
  std::vector<float> all;
  nn::visit_state(net, [&](const std::string&, const auto& part) {
    for (const auto v : part.value().values()) all.push_back(static_cast<float>(v));
  });
  return all;
}

}  // namespace

TEST_CASE("from its second step on, training allocates no tensor memory", "[training]") {
  Cpu::trim();  // so that memory left by other tests cannot hide an allocation
  check_steady(optim::Sgd{.lr = 0.01, .momentum = 0.9});
  Cpu::trim();
  check_steady(optim::Adam{});
}

TEST_CASE("training gives the same bits for any number of threads", "[training]") {
  const auto one = trained_with(1);
  for (const int threads : {2, 3, 7}) CHECK(trained_with(threads) == one);
}

TEST_CASE("gradients accumulate: two half batches give the gradient of the whole", "[training]") {
  manual_seed(1);
  const nn::Sequential net(nn::Linear<double>(5, 7), Tanh{}, nn::Linear<double>(7, 3));
  const auto x = random<double>(Shape{8, 5});
  const Tensor<int, 1> y({8}, {0, 1, 2, 0, 1, 2, 0, 1});
  const auto gradient = [&] {
    std::vector<double> all;
    nn::visit_parameters(net, [&](const std::string&, const auto& p) {
      for (const double g : p.grad().values()) all.push_back(g);
    });
    nn::zero_grad(net);
    return all;
  };
  {
    Tape tape;
    backward(cross_entropy(net(tape.input(x)), y));
  }
  const auto whole = gradient();
  for (int half = 0; half < 2; ++half) {
    Tape tape;
    const auto part = slice(x, 0, 4 * half, 4 * half + 4);
    const Tensor<int, 1> target({4}, half == 0 ? std::initializer_list<int>{0, 1, 2, 0}
                                               : std::initializer_list<int>{1, 2, 0, 1});
    backward(cross_entropy(net(tape.input(part)), target) * 0.5);
  }
  const auto halves = gradient();
  REQUIRE(halves.size() == whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK(halves[i] == Approx(whole[i]).margin(1e-15));
}
