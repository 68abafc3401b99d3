// Every operation without parameters behind a layer, beside PyTorch in double:
// tests/oracle/operations.py.

#include "follow.hpp"

#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/ops/ops.hpp>

using namespace ebb;
using namespace parity;

namespace {

constexpr Shape<2> rows_shape{5, 4};
constexpr Shape<4> pixels_shape{2, 4, 7, 5};

/// An operation on the (5, 4) result of a linear layer; the result has shape y.
template <class F, int M>
void rows(Fixture& fixture, const char* name, F op, Shape<M> y) {
  follow(fixture, name, nn::Linear<double>(6, 4), [=](const auto& net, const auto& data) {
    return mse_loss(op(net(data.input(Shape{5, 6}))), data.target(y));
  });
}
template <class F>
void rows(Fixture& fixture, const char* name, F op) {
  rows(fixture, name, op, rows_shape);
}

/// An operation on the (2, 4, 7, 5) result of a 1x1 convolution.
template <class F, int M>
void pixels(Fixture& fixture, const char* name, F op, Shape<M> y) {
  follow(fixture, name, nn::Conv2d<double>(3, 4, 1), [=](const auto& net, const auto& data) {
    return mse_loss(op(net(data.input(Shape{2, 3, 7, 5}))), data.target(y));
  });
}

/// first x second, both parameters.
template <int N>
struct Product {
  Param<Tensor<double, N>> first;
  Param<Tensor<double, 2>> second;

  template <class X>
  auto operator()(const X& x) const {
    return matmul(matmul(first.on(x), x), second.on(x));
  }
  static void visit(auto& self, auto&& f) {
    f("first", self.first);
    f("second", self.second);
  }
};

/// The same with a batch on both sides.
struct BatchedProduct {
  Param<Tensor<double, 3>> first, second;

  template <class X>
  auto operator()(const X& x) const {
    return matmul(matmul(first.on(x), x), second.on(x));
  }
  static void visit(auto& self, auto&& f) {
    f("first", self.first);
    f("second", self.second);
  }
};

}  // namespace

TEST_CASE("PyTorch parity: activations") {
  Fixture f("operations.json", "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh",
            "softplus", "softmax", "log_softmax");
  rows(f, "relu", relu);
  rows(f, "leaky_relu", leaky_relu);
  rows(f, "elu", elu);
  rows(f, "gelu", gelu);
  rows(f, "gelu tanh", gelu_tanh);
  rows(f, "silu", silu);
  rows(f, "sigmoid", sigmoid);
  rows(f, "tanh", Tanh{});
  rows(f, "softplus", softplus);
  rows(f, "leaky_relu 0.2", LeakyRelu{0.2});
  rows(f, "elu 0.5", Elu{0.5});
  rows(f, "softplus 2", Softplus{2});
  rows(f, "softmax", [](const auto& y) { return softmax(y, 1); });
  rows(f, "softmax axis 0", [](const auto& y) { return softmax(y, 0); });
  rows(f, "log_softmax", [](const auto& y) { return log_softmax(y, 1); });
  pixels(
      f, "softmax axis 1 of 4", [](const auto& y) { return softmax(y, 1); }, pixels_shape);
  pixels(
      f, "log_softmax axis 2 of 4", [](const auto& y) { return log_softmax(y, 2); }, pixels_shape);
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: elementwise operations") {
  Fixture f("operations.json", "exp", "log", "sqrt", "abs", "pow", "2", "sin", "cos", "neg",
            "clamp", "maximum", "minimum", "arithmetic", "broadcast");
  rows(f, "exp", [](const auto& y) { return exp(y); });
  rows(f, "log", [](const auto& y) { return log(square(y) + 1); });
  rows(f, "sqrt", [](const auto& y) { return sqrt(square(y) + 0.5); });
  rows(f, "abs", [](const auto& y) { return abs(y); });
  rows(f, "pow 3", [](const auto& y) { return pow(y, 3); });
  rows(f, "pow 2.5", [](const auto& y) { return 0.2 * pow(square(y) + 0.5, 2.5); });
  rows(f, "2 to the power", [](const auto& y) { return pow(2, y); });
  rows(f, "pow of two tensors", [](const auto& y) { return pow(square(y) + 0.5, sin(y)); });
  rows(f, "sin", [](const auto& y) { return sin(y); });
  rows(f, "cos", [](const auto& y) { return cos(y); });
  rows(f, "neg", [](const auto& y) { return -y; });
  rows(f, "clamp", [](const auto& y) { return clamp(y, -0.4, 0.3); });
  rows(f, "maximum", [](const auto& y) { return maximum(y, sin(3 * y)); });
  rows(f, "minimum", [](const auto& y) { return minimum(y, sin(3 * y)); });
  rows(f, "arithmetic",
       [](const auto& y) { return (2 * y + 1) / (square(y) + 2) - (y - 3) * (1 - y); });
  rows(f, "broadcast",
       [](const auto& y) { return y * mean(y, 0) + mean(y, 1, keep_axis) / (1 + square(sum(y))); });
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: reductions") {
  Fixture f("operations.json", "sum", "mean", "max", "min", "variance");
  const Shape<0> scalar{};
  rows(
      f, "sum", [](const auto& y) { return 0.1 * sum(y); }, scalar);
  rows(
      f, "mean", [](const auto& y) { return mean(y); }, scalar);
  rows(
      f, "max", [](const auto& y) { return max(y); }, scalar);
  rows(
      f, "min", [](const auto& y) { return min(y); }, scalar);
  rows(
      f, "variance", [](const auto& y) { return variance(y); }, scalar);
  rows(
      f, "sum axis", [](const auto& y) { return 0.2 * sum(y, 0); }, Shape{4});
  rows(
      f, "mean axis", [](const auto& y) { return mean(y, 1); }, Shape{5});
  rows(
      f, "max axis", [](const auto& y) { return max(y, 1); }, Shape{5});
  rows(
      f, "min axis", [](const auto& y) { return min(y, 0); }, Shape{4});
  rows(
      f, "variance axis", [](const auto& y) { return variance(y, 1); }, Shape{5});
  rows(
      f, "variance axis, biased", [](const auto& y) { return variance(y, 0, Unbiased::no); },
      Shape{4});
  pixels(
      f, "sum axes 0, 2, 3",
      [](const auto& y) {
        return 0.02 * sum(y, Axes{0, 2, 3});
      },
      Shape{4});
  pixels(
      f, "max axes 0, 2",
      [](const auto& y) {
        return max(y, Axes{0, 2});
      },
      Shape{4, 5});
  pixels(
      f, "mean axes 2, 3 kept",
      [](const auto& y) {
        return y - mean(y, Axes{2, 3}, keep_axis);
      },
      pixels_shape);
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: products") {
  Fixture f("operations.json", "matmul");
  const auto product = [&](const char* name, auto net, auto x, auto y) {
    follow(f, name, net, [=](const auto& n, const auto& data) {
      return mse_loss(n(data.input(x)), data.target(y));
    });
  };
  using Matrix = Tensor<double, 2>;
  using Batch = Tensor<double, 3>;
  product("matmul", Product<2>{Matrix(Shape{5, 6}), Matrix(Shape{4, 3})}, Shape{6, 4}, Shape{5, 3});
  product("matmul of a batch and a matrix", Product<3>{Batch(Shape{2, 5, 6}), Matrix(Shape{4, 3})},
          Shape{2, 6, 4}, Shape{2, 5, 3});
  product("matmul batched", BatchedProduct{Batch(Shape{2, 5, 6}), Batch(Shape{2, 4, 3})},
          Shape{2, 6, 4}, Shape{2, 5, 3});
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: shapes") {
  Fixture f("operations.json", "reshape", "flatten", "transpose", "permute", "concat", "stack",
            "slice", "pad");
  pixels(
      f, "reshape",
      [](const auto& y) {
        return reshape(y, Shape{2, 4, 35});
      },
      Shape{2, 4, 35});
  pixels(f, "flatten", flatten, Shape{2, 140});
  rows(
      f, "transpose", [](const auto& y) { return transpose(y) * 2; }, Shape{4, 5});
  pixels(
      f, "transpose axes 1, 3", [](const auto& y) { return transpose(y, 1, 3); },
      Shape{2, 5, 7, 4});
  pixels(
      f, "permute",
      [](const auto& y) {
        return permute(y, {3, 0, 2, 1});
      },
      Shape{5, 2, 7, 4});
  pixels(
      f, "concat axis 1",
      [](const auto& y) {
        return concat({y, sin(y), slice(y, 1, 1, 3)}, 1);
      },
      Shape{2, 10, 7, 5});
  rows(
      f, "concat axis 0",
      [](const auto& y) {
        return concat({y, y * y}, 0);
      },
      Shape{10, 4});
  rows(
      f, "stack axis 1",
      [](const auto& y) {
        return stack({y, y * y, sin(y)}, 1);
      },
      Shape{5, 3, 4});
  pixels(
      f, "slice", [](const auto& y) { return slice(y, 2, 2, 6) * 2; }, Shape{2, 4, 4, 5});
  pixels(
      f, "slice of slice", [](const auto& y) { return slice(slice(y, 1, 1, 4), -1, 0, 2); },
      Shape{2, 3, 7, 2});
  // PyTorch lists margins from the last axis to the first, ebb from the first to the last.
  pixels(
      f, "pad",
      [](const auto& y) {
        return pad(y, {{{0, 0}, {0, 0}, {3, 0}, {1, 2}}});
      },
      Shape{2, 4, 10, 8});
  pixels(
      f, "pad reflect",
      [](const auto& y) {
        return pad(y, {{{0, 0}, {0, 0}, {3, 1}, {1, 2}}}, {.mode = PadMode::reflect});
      },
      Shape{2, 4, 11, 8});
  pixels(
      f, "pad replicate",
      [](const auto& y) {
        return pad(y, {{{0, 0}, {0, 0}, {3, 1}, {1, 2}}}, {.mode = PadMode::replicate});
      },
      Shape{2, 4, 11, 8});
  pixels(
      f, "pad value",
      [](const auto& y) {
        return pad(y, {{{0, 0}, {0, 0}, {0, 2}, {1, 0}}}, {.value = 0.5});
      },
      Shape{2, 4, 9, 6});
  CHECK(f.left().empty());
}
