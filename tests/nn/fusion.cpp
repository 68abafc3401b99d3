// Activations that other operations take in, and memory that is written over: the same elements and
// gradients as without.
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/sequential.hpp>
#include <ebb/nn/stack.hpp>
#include <ebb/ops/elementwise/sigmoid.hpp>
#include <ebb/ops/elementwise/square.hpp>
#include <ebb/ops/shape/flatten.hpp>
#include <ebb/tape/gradcheck.hpp>

#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using test::random;

namespace {

/// y and the gradients of all operands from the same dy.
template <class Op, class DY, class... Tens>
auto all_of(Op op, const DY& dy, const Tens&... operands) {
  Tape tape;
  const auto run = [&](const auto&... x) {
    const auto y = op(x...);
    backward(y, dy);
    auto all = y.value().values();
    const auto join = [&](const auto& v) { all.insert(all.end(), v.begin(), v.end()); };
    (join(x.grad().values()), ...);
    return all;
  };
  return run(tape.watch(operands)...);
}

std::vector<std::string> operations(const Tape& tape) {
  std::vector<std::string> names;
  for (const NodeInfo& node : tape.nodes()) names.push_back(node.op);
  return names;
}

}  // namespace

TEMPLATE_TEST_CASE("conv2d takes a relu in, bit for bit", "[nn][fusion]", float, double) {
  using T = TestType;
  for (int round = 0; round < 40; ++round) {
    const Index n = 1 + round % 3, groups = 1 + round % 2, in = groups * (1 + round % 5),
                out = groups * (1 + round % 7), size = 5 + round % 9;
    Conv2dOptions plain{.stride = 1 + round % 2, .padding = round % 3, .groups = groups};
    Conv2dOptions rectified = plain;
    rectified.activation = relu;
    const auto x = random<T>(Shape{n, in, size, size + 3});
    const auto w = random<T>(Shape{out, in / groups, Index{3}, Index{2}});
    const auto b = random<T>(Shape{out});
    const auto y = conv2d(x, w, b, rectified);
    CHECK(y.values() == relu(conv2d(x, w, b, plain)).values());
    const auto dy = random<T>(y.shape());
    CHECK(all_of([&](auto&... v) { return conv2d(v..., rectified); }, dy, x, w, b) ==
          all_of([&](auto&... v) { return relu(conv2d(v..., plain)); }, dy, x, w, b));
  }
}

TEMPLATE_TEST_CASE("linear takes a relu in, bit for bit", "[nn][fusion]", float, double) {
  using T = TestType;
  for (int round = 0; round < 40; ++round) {
    const auto x = random<T>(Shape{Index{1 + round}, Index{2 + 3 * round}});
    const auto w = random<T>(Shape{Index{1 + 2 * round}, Index{2 + 3 * round}});
    const auto b = random<T>(Shape{Index{1 + 2 * round}});
    const auto y = linear(x, w, b, relu);
    CHECK(y.values() == relu(linear(x, w, b)).values());
    CHECK(linear(x, w, relu).values() == relu(linear(x, w)).values());
    const auto dy = random<T>(y.shape());
    CHECK(all_of([](auto&... v) { return linear(v..., relu); }, dy, x, w, b) ==
          all_of([](auto&... v) { return relu(linear(v...)); }, dy, x, w, b));
  }
}

TEST_CASE("nan passes a fused relu as it passes relu", "[nn][fusion]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto x = Tensor<double, 2>({2, 1}, {nan, -1});
  const auto y = linear(x, Tensor<double, 2>::ones({9, 1}), relu).values();
  for (std::size_t i = 0; i < 9; ++i) CHECK(std::isnan(y[i]));
  for (std::size_t i = 9; i < 18; ++i) CHECK(y[i] == 0);
}

TEST_CASE("gradients through fused activations", "[nn][fusion]") {
  const auto x = random<double>(Shape{2, 3, 5, 4});
  const auto w = random<double>(Shape{4, 3, 3, 3});
  const auto b = random<double>(Shape{4});
  CHECK(gradcheck(
      [](const auto& i, const auto& k, const auto& c) {
        return square(conv2d(i, k, c, {.padding = 1, .activation = relu}));
      },
      x, w, b));
  CHECK(gradcheck(
      [](const auto& i, const auto& k, const auto& c) { return square(linear(i, k, c, relu)); },
      random<double>(Shape{5, 6}), random<double>(Shape{7, 6}), random<double>(Shape{7})));
}

TEST_CASE("layers take an activation as an option, and Sequential fuses by itself",
          "[nn][fusion]") {
  manual_seed(3);
  nn::Conv2d<> conv(2, 5, 3, {.padding = 1});
  nn::Linear<> fc(5 * 6 * 6, 4), last(4, 3);
  const nn::Sequential net(conv, relu, flatten, fc, relu, last, sigmoid);
  nn::Conv2d<> conv_relu = conv;
  conv_relu.options.activation = relu;
  nn::Linear<> fc_relu = fc;
  fc_relu.activation = relu;
  nn::Stack<2> stack;
  stack.add(fc).add(relu).add(last).add(sigmoid);

  const auto x = random<float>(Shape{3, 2, 6, 6});
  const auto expected = sigmoid(last(relu(fc(flatten(relu(conv(x))))))).values();
  CHECK(net(x).values() == expected);
  CHECK(sigmoid(last(fc_relu(flatten(conv_relu(x))))).values() == expected);
  CHECK(stack(flatten(conv_relu(x))).values() == expected);

  Tape tape;
  const auto y = net(tape.input(x));
  CHECK(y.value().values() == expected);
  CHECK(operations(tape) ==
        std::vector<std::string>{"conv2d+relu", "flatten", "linear+relu", "linear+sigmoid"});
  CHECK(nn::Conv2d<>(1, 1, 1, {.activation = relu}).options.activation == Activation::relu);
  CHECK(nn::Linear<>(1, 1, {.activation = relu}).activation == Activation::relu);
}

TEST_CASE("a temporary is written over only where nobody else holds it", "[nn][fusion]") {
  const auto make = [] { return Tensor<float, 1>({3}, {-1, 0, 2}); };
  const std::vector<float> before{-1, 0, 2}, after{0, 0, 2};
  auto x = make();
  const float* const memory = x.data();
  const auto other = relu(x);
  CHECK(other.data() != memory);
  CHECK(x.values() == before);
  const auto same = relu(std::move(x));
  CHECK(same.data() == memory);
  CHECK(same.values() == after);

  auto shared = make();
  const auto view = shared.reshape(Shape{1, 3});
  CHECK(relu(std::move(shared)).values() == after);
  CHECK(view.values() == before);

  // sigmoid saves its result for the way back, square its argument: neither is touched.
  Tape tape;
  const auto v = tape.watch(make());
  const auto y = relu(square(relu(sigmoid(v))));
  Tape again;
  const auto w = again.watch(make());
  const auto a = sigmoid(w), b = relu(a), c = square(b), d = relu(c);
  const auto dy = Tensor<float, 1>::ones({3});
  backward(y, dy);
  backward(d, dy);
  CHECK(y.value().values() == d.value().values());
  CHECK(v.grad().values() == w.grad().values());
}

TEST_CASE("a gradient is written over only where nobody else holds it", "[nn][fusion]") {
  const auto x = random<float>(Shape{4, 5}), w = random<float>(Shape{6, 5});
  const auto dy = random<float>(Shape{4, 6});
  const auto given = dy.values();
  std::vector<float> once;
  for (const bool keep : {false, true}) {
    Tape tape({.keep_gradients = keep});
    const auto v = tape.watch(x);
    const auto hidden = linear(v, w, relu);
    const auto y = relu(hidden);
    backward(y, dy, Retain::yes);
    if (once.empty()) once = v.grad().values();
    CHECK(v.grad().values() == once);
    if (keep) {
      // What arrived at y, and what relu's pullback made of it.
      CHECK(y.grad().values() == given);
      for (Index i = 0; i < dy.size(); ++i)
        CHECK(hidden.grad().data()[i] == (y.value().data()[i] > 0 ? dy.data()[i] : 0));
    }
    backward(y, dy);
    auto twice = v.grad().values();
    for (std::size_t i = 0; i < twice.size(); ++i) CHECK(twice[i] == 2 * once[i]);
  }
  CHECK(dy.values() == given);
}
