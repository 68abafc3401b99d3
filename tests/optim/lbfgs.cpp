#include <ebb/nn/linear.hpp>
#include <ebb/nn/sequential.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/lbfgs.hpp>
#include <ebb/tape/backward.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

template <class T>
struct Point {
  Param<Tensor<T, 1>> w;
  static void visit(auto& self, auto&& f) { f("w", self.w); }
};

/// Rosenbrock's function in n variables (The Computer Journal 3, 1960): minimum 0 at (1, ..., 1).
template <class T>
double rosenbrock(const Point<T>& net) {
  const auto w = net.w.value();
  const auto g = net.w.cell()->slot.into();
  fill(Cpu{}, g.view(), T(0));
  double loss = 0;
  for (Index i = 0; i + 1 < w.size(); ++i) {
    const double a = static_cast<double>(w(i)), b = static_cast<double>(w(i + 1));
    loss += 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a);
    g.data[i] += static_cast<T>(-400 * a * (b - a * a) - 2 * (1 - a));
    g.data[i + 1] += static_cast<T>(200 * (b - a * a));
  }
  return loss;
}

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

}  // namespace

TEST_CASE("L-BFGS finds the minimum of Rosenbrock's function") {
  for (const Index size : {2, 10}) {
    Point<double> net{Tensor<double, 1>::full({size}, -1.2)};
    optim::Lbfgs opt(net, {.max_iterations = 200, .tolerance_grad = 1e-12, .tolerance_change = 0});
    const double loss = opt.step([&] { return rosenbrock(net); });
    CHECK(loss <= 1e-20);
    CHECK(opt.converged());
    CHECK(opt.iterations() < 120);
    CHECK(opt.evaluations() < 200);
    for (Index i = 0; i < size; ++i) CHECK(std::abs(net.w.value()(i) - 1) <= 1e-10);
  }
}

TEST_CASE("L-BFGS solves least squares to the last digits") {
  // The answer is known: the target was made by a linear map.
  const auto x = test::random<double>(Shape{20, 4}, 1);
  const nn::Linear<double> truth(4, 3);
  const auto y = truth(x);
  nn::Linear<double> net(4, 3);
  optim::Lbfgs opt(net, {.max_iterations = 100, .tolerance_grad = 1e-13, .tolerance_change = 0});
  const auto closure = [&] {
    Tape tape;
    const auto loss = mse_loss(net(tape.input(x)), y);
    backward(loss);
    return loss.item();
  };
  opt.step(closure);
  CHECK(opt.gradient_norm() <= 1e-12);
  const auto found = net.weight.value().values(), expected = truth.weight.value().values();
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) <= 1e-10);

  // With noise the minimum is not zero, and the last decreases drown in rounding.
  const auto noisy = y + test::random<double>(Shape{20, 3}, 2);
  optim::Lbfgs again(net, {.max_iterations = 100, .tolerance_grad = 1e-10, .tolerance_change = 0});
  again.step([&] {
    Tape tape;
    const auto loss = mse_loss(net(tape.input(x)), noisy);
    backward(loss);
    return loss.item();
  });
  CHECK(again.converged());
  CHECK(again.gradient_norm() <= 1e-10);
}

TEST_CASE("L-BFGS trains a small network in float, and leaves frozen layers alone") {
  manual_seed(3);
  nn::Sequential net(nn::Linear<>(1, 12), Tanh{}, nn::Linear<>(12, 1));
  Tensor<float, 2> x({30, 1}), y({30, 1});
  for (Index i = 0; i < 30; ++i) {
    x(i, 0) = static_cast<float>(i) / 10 - 1.5f;
    y(i, 0) = std::sin(2 * x(i, 0));
  }
  const auto closure = [&] {
    Tape tape;
    const auto loss = mse_loss(net(tape.input(x)), y);
    backward(loss);
    return loss.item();
  };
  optim::Lbfgs opt(net, {.max_iterations = 150});
  CHECK(opt.step(closure) < 1e-4);

  nn::freeze(net.get<0>());
  const auto before = net.get<0>().weight.value().values();
  nn::init::normal(net.get<2>().weight);
  optim::Lbfgs(net).step(closure);
  CHECK(net.get<0>().weight.value().values() == before);
}

TEST_CASE("L-BFGS names what the loss teaches and nobody trains, and what no gradient reaches") {
  const Net net;
  optim::Lbfgs opt(net);
  const auto closure = [&] {
    Tape tape;
    const auto loss = mean(square(net(tape.input(Tensor<float, 2>::ones({2, 3})))));
    backward(loss);
    return loss.item();
  };
  CHECK(opt.unreached().size() == 6);
  const auto before = net.last.bias.value().values();
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_WITH(
        opt.step(closure),
        Contains("lbfgs: the loss taught the parameter of shape (5, 4), used by 'linear'"));
  CHECK(net.last.bias.value().values() == before);
  optim::untrained(net.forgotten);
  opt.step(closure);
  CHECK(net.last.bias.value().values() != before);
  CHECK(opt.unreached() == std::vector<std::string>{"idle.weight", "idle.bias"});
}

TEST_CASE("L-BFGS refuses nonsense") {
  Point<double> net{Tensor<double, 1>::zeros({2})};
  CHECK_THROWS_WITH(optim::Lbfgs(relu), Contains("there are no parameters"));
  CHECK_THROWS_WITH(optim::Lbfgs(net, {.lr = -1}), Contains("lbfgs: lr = -1"));
  CHECK_THROWS_WITH(optim::Lbfgs(net, {.history = 0}), Contains("must be positive"));
  CHECK_THROWS_WITH(optim::Lbfgs(net, {.line_search = {.decrease = 0.95}}),
                    Contains("0 < decrease < curvature < 1"));
  optim::Lbfgs opt(net);
  CHECK_THROWS_AS(opt.step([] { return std::nan(""); }), NumericError);
}
