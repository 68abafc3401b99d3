// Sequential, Residual and Stack.
#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/optim.hpp>
#include <ebb/tape/print.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using Catch::Matchers::Contains;
using test::random;

namespace {
template <class Net>
std::vector<std::string> names(Net& net) {
  std::vector<std::string> all;
  nn::visit_state(net, [&](const std::string& name, auto&) { all.push_back(name); });
  return all;
}
}  // namespace

TEST_CASE("sequential calls its layers in turn") {
  nn::Sequential net(nn::Linear<double>(2, 8), Tanh{}, nn::Linear<double>(8, 1));
  const auto x = random<double>(Shape{5, 2});
  const auto y = net.get<2>()(tanh(net.get<0>()(x)));
  CHECK(net(x).values() == y.values());
  CHECK(net.size() == 3);
  CHECK(names(net) == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"});
  CHECK_GRADIENTS(net, x);

  const nn::Sequential with_object(net.get<0>(), nn::tanh, net.get<2>());
  CHECK(with_object(x).values() == y.values());

  const nn::Sequential with_lambda([](const auto& v) { return v * 2.0; }, net);
  CHECK(names(with_lambda).front() == "1.0.weight");
  CHECK(with_lambda(x)(0, 0) == Approx(net(x * 2.0)(0, 0)));
}

namespace {

/// A layer of one's own, which changes what it has drawn.
struct Halved {
  nn::Linear<double> fc{2, 2};
  Halved() {
    for (Index i = 0; i < 4; ++i) fc.weight.value().mutable_data()[i] /= 2;
  }
  auto operator()(const auto& x) const { return fc(x); }
  static void visit(auto& self, auto&& f) { f("fc", self.fc); }
};

/// The i-th number of U(-1/sqrt(2), 1/sqrt(2)) (PyTorch's bounds for two inputs) by one stream of
/// seed 7.
double number(std::uint64_t stream, std::uint64_t i) {
  const double bound = 1 / std::sqrt(2.0);
  return -bound + 2 * bound * RandomStream{7, stream}.uniform<double>(i);
}

/// Whether parameter k of the network, a (2, 2) weight or a (2) bias, is drawn by stream k.
template <class Net>
void check_order(const Net& net, std::uint64_t expected) {
  std::uint64_t k = 0;
  nn::visit_parameters(net, [&](const std::string& name, const auto& p) {
    INFO(name);
    const auto values = p.value().values();
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(values[i] == Approx(number(k, i)).epsilon(1e-15));
    ++k;
  });
  CHECK(k == expected);
}

}  // namespace

TEST_CASE("initial weights are those of the seed, whatever order a compiler makes layers in") {
  using Linear = nn::Linear<double>;
  manual_seed(7);
  check_order(nn::Sequential(Linear(2, 2), Tanh{}, Linear(2, 2), Linear(2, 2, {.bias = false}),
                             Linear(2, 2)),
              7);
  manual_seed(7);
  check_order(nn::Sequential{Linear(2, 2), Linear(2, 2)}, 4);
  manual_seed(7);
  check_order(
      nn::Sequential(Linear(2, 2),
                     nn::Residual(nn::Sequential(Linear(2, 2), Tanh{}, Linear(2, 2)), Linear(2, 2)),
                     nn::Sequential(Linear(2, 2), nn::Sequential(Linear(2, 2), Linear(2, 2)))),
      14);
  manual_seed(7);
  nn::Stack<2, double> stack;
  stack.add(nn::Sequential(Linear(2, 2), Linear(2, 2))).add(Linear(2, 2));
  check_order(stack, 6);
  CHECK(default_generator() == Generator{7, 6});  // no stream is taken for the sake of the order

  // Layers with generators of their own have no order to mend, and what was changed stays.
  manual_seed(7);
  const nn::Sequential mixed(Linear(2, 2), Halved());
  double largest = 0;
  for (const double w : mixed.get<1>().fc.weight.value().values()) largest = std::max(largest, w);
  CHECK(largest < 0.5 / std::sqrt(2.0));
  Linear first(2, 2), second(2, 2);
  const auto kept = first.weight.value().values();
  second.weight.value()(0, 0) = 9;  // as if trained
  const nn::Sequential copied(second, first), moved(std::move(second), first);
  CHECK(copied.get<1>().weight.value().values() == kept);
  CHECK(moved.get<0>().weight.value()(0, 0) == 9);
  CHECK(moved.get<1>().weight.value().values() == kept);
}

TEST_CASE("residual adds what goes around") {
  const nn::Residual block(nn::Sequential(nn::Linear<double>(3, 3), Tanh{}));
  const auto x = random<double>(Shape{2, 3});
  CHECK(block(x)(1, 2) == Approx(x(1, 2) + block.body(x)(1, 2)));
  CHECK(names(block) == std::vector<std::string>{"body.0.weight", "body.0.bias"});
  CHECK_GRADIENTS(block, x);

  const nn::Residual wider(nn::Linear<double>(3, 5), nn::Linear<double>(3, 5, {.bias = false}));
  CHECK(wider(x).shape() == Shape{2, 5});
  CHECK(names(wider) == std::vector<std::string>{"body.weight", "body.bias", "shortcut.weight"});
  CHECK_GRADIENTS(wider, x);

  // Broadcasting must not hide a body that yields one column.
  const nn::Residual wrong(nn::Linear<double>(3, 1));
  CHECK_THROWS_AS(wrong(x), ShapeError);
  CHECK_THROWS_WITH(wrong(x), Contains("the body turns (2, 3) into (2, 1)"));
}

TEST_CASE("a stack takes its depth at run time") {
  nn::Stack<2, double> net;
  for (int depth = 0; depth < 3; ++depth) net.add(nn::Linear<double>(3, 3)).add(Tanh{});
  net.add(nn::BatchNorm1d<double>(3)).add(nn::Dropout<double>(0.5));
  CHECK(net.size() == 8);
  CHECK(names(net) == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias",
                                               "4.weight", "4.bias", "6.weight", "6.bias",
                                               "6.running_mean", "6.running_var",
                                               "6.num_batches_tracked"});
  const nn::Stack<2, double>& constant = net;
  CHECK(names(constant).size() == 11);
  nn::name_parameters(net);
  const auto x = random<double>(Shape{4, 3});
  CHECK_THROWS_WITH(net(random<double>(Shape{4, 2})), Contains("(layer 0)"));

  Tape tape;
  const auto trained = net(tape.input(x));
  CHECK(trained.wants_grad());
  const auto plain = net(x);
  CHECK(plain.values() != trained.value().values());  // statistics, and dropout
  nn::eval(net);
  CHECK(net(tape.input(x)).value().values() == net(x).values());
  CHECK_GRADIENTS(net, x);

  CHECK(nn::Stack<2, double>()(x).values() == x.values());
  CHECK_THROWS_WITH(net[8], Contains("there is no layer 8; the stack has 8"));
  CHECK(net[1](x).values() == tanh(x).values());
}

TEST_CASE("stacks are values") {
  nn::Stack<2> net;
  net.add(nn::Linear<>(2, 2)).add(relu);
  nn::Stack<2> copy = net;
  const auto x = Tensor<float, 2>::ones({1, 2});
  const auto before = copy(x).values();
  nn::visit_parameters(net, [](const std::string&, auto& p) { nn::init::ones(p); });
  CHECK(copy(x).values() == before);
  CHECK(net(x).values() == std::vector<float>{3, 3});

  // Assigning keeps the cells: an optimizer of the copy stays attached.
  optim::Optimizer opt(copy, optim::Sgd{.lr = 1});
  copy = net;
  CHECK(copy(x).values() == std::vector<float>{3, 3});
  Tape tape;
  backward(sum(copy(tape.input(x))));
  opt.step();
  CHECK(copy(x).values() == std::vector<float>{0, 0});
  CHECK(net(x).values() == std::vector<float>{3, 3});

  const nn::Stack<2> moved = std::move(copy);
  opt.zero_grad();
  CHECK(moved(x).values() == std::vector<float>{0, 0});

  nn::Stack<2> other;  // of other layers: takes copies
  other.add(nn::LayerNorm<>(2));
  other = net;
  CHECK(other(x).values() == std::vector<float>{3, 3});
}

TEST_CASE("stacks nest, hold images, and live in networks") {
  nn::Stack<4> inner, outer;
  inner.add(nn::Conv2d<>(1, 2, 3, {.padding = same})).add(nn::BatchNorm2d<>(2)).add(relu);
  outer.add(inner).add(nn::Sequential(nn::MaxPool2d<>(2), nn::Conv2d<>(2, 2, 1)));
  const nn::Sequential net(outer, flatten, nn::Linear<>(8, 1));
  CHECK(names(net) == std::vector<std::string>{"0.0.0.weight", "0.0.0.bias", "0.0.1.weight",
                                               "0.0.1.bias", "0.0.1.running_mean",
                                               "0.0.1.running_var", "0.0.1.num_batches_tracked",
                                               "0.1.1.weight", "0.1.1.bias", "2.weight", "2.bias"});
  CHECK(net(Tensor<float, 4>::ones({3, 1, 4, 4})).shape() == Shape{3, 1});
  std::vector<std::string> modules;
  nn::visit_modules(net, [&](const std::string& path, auto&) { modules.push_back(path); });
  CHECK(modules.size() > 5);
}

TEST_CASE("Tensors, variables, parameters, shapes and networks are written to streams", "[nn]") {
  const Tensor<float, 2> x({1, 2}, {1, 2});
  Tape tape;
  std::ostringstream out;
  out << x << " " << tape.watch(x) << " " << Param<Tensor<float, 2>>(x) << " " << Shape{2, 3};
  CHECK(out.str() == "[[1, 2]] [[1, 2]] [[1, 2]] (2, 3)");
  std::ostringstream network;
  network << nn::Sequential(nn::Linear<>(2, 8), nn::tanh);
  CHECK(network.str() == "0.weight  (8, 2)\n0.bias    (8)\n24 parameters");
}
