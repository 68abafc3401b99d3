/// \file
/// The rule on not-a-number (docs/numbers.md), for every operation and any device.
#pragma once

#include <ebb/ebb.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace ebb::test {

/// What PyTorch gives for x = [[1, nan, -2, 0.5], [3, 0, -1, 2]]: the value, and the gradient of x
/// from ones. The rows are printed by tests/oracle/not_a_number.py.
struct WithNan {
  const char* name;
  std::vector<double> value, gradient;
};
inline const std::vector<WithNan>& operations_with_nan() {
  // clang-format off
  static const std::vector<WithNan> rows = {
    {"relu", {1, NAN, 0, 0.5, 3, 0, 0, 2}, {1, 1, 0, 1, 1, 0, 0, 1}},
    {"leaky_relu", {1, NAN, -0.02, 0.5, 3, 0, -0.01, 2}, {1, 0.01, 0.01, 1, 1, 0.01, 0.01, 1}},
    {"elu", {1, NAN, -0.864664717, 0.5, 3, 0, -0.632120559, 2}, {1, NAN, 0.135335283, 1, 1, 1, 0.367879441, 1}},
    {"gelu", {0.841344746, NAN, -0.0455002639, 0.345731231, 2.99595031, 0, -0.158655254, 1.95449974}, {1.08331547, NAN, -0.0852318011, 0.867495125, 1.01194565, 0.5, -0.0833154706, 1.0852318}},
    {"gelu_tanh", {0.841191991, NAN, -0.0454023059, 0.34571401, 2.99636261, 0, -0.158808009, 1.95459769}, {1.08296408, NAN, -0.0860992566, 0.867369904, 1.01158417, 0.5, -0.0829640838, 1.08609926}},
    {"silu", {0.731058579, NAN, -0.238405844, 0.311229666, 2.85772238, 0, -0.268941421, 1.76159416}, {0.927670512, NAN, -0.0907842488, 0.739961187, 1.08810411, 0.5, 0.0723294881, 1.09078425}},
    {"sigmoid", {0.731058579, NAN, 0.119202922, 0.622459331, 0.952574127, 0.5, 0.268941421, 0.880797078}, {0.196611933, NAN, 0.104993585, 0.235003712, 0.0451766597, 0.25, 0.196611933, 0.104993585}},
    {"tanh", {0.761594156, NAN, -0.96402758, 0.462117157, 0.995054754, 0, -0.761594156, 0.96402758}, {0.419974342, NAN, 0.0706508249, 0.786447733, 0.00986603717, 1, 0.419974342, 0.0706508249}},
    {"softplus", {1.31326169, NAN, 0.126928011, 0.974076984, 3.04858735, 0.693147181, 0.313261688, 2.12692801}, {0.731058579, NAN, 0.119202922, 0.622459331, 0.952574127, 0.5, 0.268941421, 0.880797078}},
    {"exp", {2.71828183, NAN, 0.135335283, 1.64872127, 20.0855369, 1, 0.367879441, 7.3890561}, {2.71828183, NAN, 0.135335283, 1.64872127, 20.0855369, 1, 0.367879441, 7.3890561}},
    {"log", {0, NAN, NAN, -0.693147181, 1.09861229, -INFINITY, NAN, 0.693147181}, {1, NAN, -0.5, 2, 0.333333333, INFINITY, -1, 0.5}},
    {"sqrt", {1, NAN, NAN, 0.707106781, 1.73205081, 0, NAN, 1.41421356}, {0.5, NAN, NAN, 0.707106781, 0.288675135, INFINITY, NAN, 0.353553391}},
    {"square", {1, NAN, 4, 0.25, 9, 0, 1, 4}, {2, NAN, -4, 1, 6, 0, -2, 4}},
    {"abs", {1, NAN, 2, 0.5, 3, 0, 1, 2}, {1, 0, -1, 1, 1, 0, -1, 1}},
    {"sin", {0.841470985, NAN, -0.909297427, 0.479425539, 0.141120008, 0, -0.841470985, 0.909297427}, {0.540302306, NAN, -0.416146837, 0.877582562, -0.989992497, 1, 0.540302306, -0.416146837}},
    {"cos", {0.540302306, NAN, -0.416146837, 0.877582562, -0.989992497, 1, 0.540302306, -0.416146837}, {-0.841470985, NAN, 0.909297427, -0.479425539, -0.141120008, -0, 0.841470985, -0.909297427}},
    {"neg", {-1, NAN, 2, -0.5, -3, -0, 1, -2}, {-1, -1, -1, -1, -1, -1, -1, -1}},
    {"clamp", {1, NAN, -1.5, 0.5, 2.5, 0, -1, 2}, {1, 0, 0, 1, 0, 1, 1, 1}},
    {"pow 2", {1, NAN, 4, 0.25, 9, 0, 1, 4}, {2, NAN, -4, 1, 6, 0, -2, 4}},
    {"pow 0", {1, 1, 1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0, 0, 0}},
    {"2 pow", {2, NAN, 0.25, 1.41421356, 8, 1, 0.5, 4}, {1.38629436, NAN, 0.173286795, 0.980258143, 5.54517744, 0.693147181, 0.34657359, 2.77258872}},
    {"add", {2, NAN, -1, 1.5, 4, 1, 0, 3}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {"mul", {2, NAN, -4, 1, 6, 0, -2, 4}, {2, 2, 2, 2, 2, 2, 2, 2}},
    {"div", {1, NAN, -0.5, 2, 0.333333333, INFINITY, -1, 0.5}, {-1, NAN, -0.25, -4, -0.111111111, -INFINITY, -1, -0.25}},
    {"sub of two", {-1, NAN, NAN, 1.5, 3, NAN, -2, 0}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {"div of two", {0.5, NAN, NAN, -0.5, INFINITY, NAN, -1, 1}, {0.5, 1, NAN, -1, INFINITY, NAN, 1, 0.5}},
    {"pow of two", {1, NAN, NAN, 2, 1, NAN, -1, 4}, {2, 1, NAN, -4, 0, NAN, 1, 4}},
    {"maximum", {2, NAN, NAN, 0.5, 3, NAN, 1, 2}, {0, 1, 1, 1, 1, 1, 0, 0.5}},
    {"minimum", {1, NAN, NAN, -1, 0, NAN, -1, 2}, {1, 1, 1, 0, 0, 1, 1, 0.5}},
    {"maximum of a number", {1, NAN, 0.25, 0.5, 3, 0.25, 0.25, 2}, {1, 1, 0, 1, 1, 0, 0, 1}},
    {"sum", {NAN}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {"sum of rows", {NAN, 4}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {"mean of rows", {NAN, 1}, {0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25}},
    {"variance of rows", {NAN, 3.33333333}, {NAN, NAN, NAN, NAN, 1.33333333, -0.666666667, -1.33333333, 0.666666667}},
    {"max", {NAN}, {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}},
    {"max of rows", {NAN, 3}, {NAN, NAN, NAN, NAN, 1, 0, 0, 0}},
    {"max of columns", {3, NAN, -1, 2}, {0, NAN, 0, 0, 1, NAN, 1, 1}},
    {"min of rows", {NAN, -1}, {NAN, NAN, NAN, NAN, 0, 0, 1, 0}},
    {"softmax", {NAN, NAN, NAN, NAN, 0.696387487, 0.0346710914, 0.0127547817, 0.25618664}, {NAN, NAN, NAN, NAN, 0, 0, 0, 0}},
    {"log_softmax", {NAN, NAN, NAN, NAN, -0.361849039, -3.36184904, -4.36184904, -1.36184904}, {NAN, NAN, NAN, NAN, -1.78554995, 0.861315634, 0.948980873, -0.0247465585}},
    {"softmax of columns", {0.119202922, NAN, 0.268941421, 0.182425524, 0.880797078, NAN, 0.731058579, 0.817574476}, {1.32341829e-17, NAN, 0, 0, 9.77881196e-17, NAN, 0, 0}},
    {"max_pool2d", {NAN, 2}, {0, 1, 0, 0, 0, 0, 0, 1}},
    {"max_pool2d 3", {NAN, NAN, NAN, 2, NAN, NAN, NAN, 2}, {0, 6, 0, 0, 0, 0, 0, 2}},
    {"avg_pool2d", {NAN, -0.125}, {0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25}},
    {"global_avg_pool2d", {NAN}, {0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125}},
    {"upsample_nearest2d", {1, 1, NAN, NAN, -2, -2, 0.5, 0.5, 1, 1, NAN, NAN, -2, -2, 0.5, 0.5, 3, 3, 0, 0, -1, -1, 2, 2, 3, 3, 0, 0, -1, -1, 2, 2}, {4, 4, 4, 4, 4, 4, 4, 4}},
    {"upsample_bilinear2d", {NAN, NAN, NAN, NAN, NAN, -1.375, -0.125, 0.5, 3, 2.25, 0.75, -0.25, -0.75, -0.25, 1.25, 2}, {2, 2, 2, 2, 2, 2, 2, 2}},
    {"conv2d", {NAN, NAN, 1, 5, NAN, NAN, -1, 1, NAN, NAN, 7, -2}, {3, 3, 2, 2, 3, 3, 2, 2}},
    {"conv_transpose2d", {1, -1, NAN, NAN, -2, 2, 0.5, -0.5, 0, 0, 0, 0, 0, 0, 0, 0, 3, -3, 0, 0, -1, 1, 2, -2}, {0, 0, 0, 0, 0, 0, 0, 0}},
    {"matmul", {NAN, NAN, NAN, 2, 1, 9}, {3, 0, 2, 2.5, 3, 0, 2, 2.5}},
    {"linear", {NAN, NAN, NAN, 2, 1, 9}, {3, 0, 2, 2.5, 3, 0, 2, 2.5}},
    {"linear, relu", {NAN, NAN, NAN, 2, 1, 9}, {3, 0, 2, 2.5, 3, 0, 2, 2.5}},
    {"layer_norm", {NAN, NAN, NAN, NAN, 1.26490853, -0.632454267, -1.26490853, 0.632454267}, {NAN, NAN, NAN, NAN, 0, 0, 0, 0}},
    {"group_norm", {NAN, NAN, -0.9999968, 0.9999968, 0.999997778, -0.999997778, -0.999997778, 0.999997778}, {NAN, NAN, 0, 0, 0, 0, 0, 0}},
    {"batch_norm", {-0.999995, NAN, -0.999980001, -0.999991111, 0.999995, NAN, 0.999980001, 0.999991111}, {0, NAN, 0, 0, 0, NAN, 0, 0}},
    {"concat", {1, NAN, -2, 0.5, 1, 3, 0, -1, 2, 3}, {2, 1, 1, 1, 2, 1, 1, 1}},
    {"slice", {NAN, -2, 0, -1}, {0, 1, 1, 0, 0, 1, 1, 0}},
    {"pad", {NAN, 1, NAN, -2, 0.5, -2, 0, 3, 0, -1, 2, -1}, {1, 2, 2, 1, 1, 2, 2, 1}},
    {"transpose", {1, 3, NAN, 0, -2, -1, 0.5, 2}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {"dropout of nothing", {1, NAN, -2, 0.5, 3, 0, -1, 2}, {1, 1, 1, 1, 1, 1, 1, 1}},
    {"mse_loss", {NAN}, {0, NAN, -0.75, 0.125, 0.75, -0.25, -0.5, 0.5}},
    {"l1_loss", {NAN}, {0, 0, -0.125, 0.125, 0.125, -0.125, -0.125, 0.125}},
    {"huber_loss", {NAN}, {0, NAN, -0.125, 0.0625, 0.125, -0.125, -0.125, 0.125}},
    {"bce_with_logits", {NAN}, {-0.0336176777, NAN, -0.110099635, 0.0778074164, 0.119071766, -0.0625, -0.0913823223, 0.110099635}},
    {"cross_entropy", {NAN}, {NAN, NAN, NAN, NAN, -0.151806256, 0.0173355457, 0.00637739087, 0.12809332}},
    {"nll_loss", {-0.5}, {0, 0, -0.5, 0, -0.5, 0, 0, 0}},
    {"focal_loss", {NAN}, {NAN, NAN, NAN, NAN, -0.0372219009, 0.00425056239, 0.00156369452, 0.0314076439}},
    {"binary_focal_loss", {NAN}, {-0.00164316031, NAN, -0.0336473041, 0.0493267333, 0.105632801, -0.00932146235, -0.0240073351, 0.100941912}},
    {"dice_loss", {NAN}, {-0.0164030084, NAN, -0.0209546068, 7.58138965e-07, 6.22325288e-08, -0.0277775463, -0.030525449, 1.69165263e-07}},
  };
  // clang-format on
  return rows;
}

/// Whether the numbers are those, nan where they are nan.
template <class T>
bool agree(const std::vector<T>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return false;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto a = static_cast<double>(found[i]), b = expected[i];
    const bool same =
        std::isnan(b) ? std::isnan(a) : a == b || std::abs(a - b) <= 2e-6 * (1 + std::abs(b));
    if (!same) return false;
  }
  return true;
}

/// Calls check(name, operation) for every row.
template <class T, class Device, class Check>
void each_operation_with_nan(const Check& check) {
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  const auto on = [](const auto& x) { return to<Device>(x); };
  const auto image = [](const auto& x) { return reshape(x, Shape{1, 1, 2, 4}); };
  const auto c = on(Tensor<T, 2>({2, 4}, {2, 1, nan, -1, 0, nan, 1, 2}));
  const auto w = on(Tensor<T, 2>({3, 4}, {1, -1, 2, 0.5, 0, 1, 1, 1, 2, 0, -1, 1}));
  const auto mask = on(Tensor<T, 2>({2, 4}, {1, 0, 1, 0, 0, 1, 1, 0}));
  const auto lines = on(Tensor<T, 4>({3, 1, 1, 3}, {1, -1, 2, 0, 1, 1, 2, 0, -1}));
  const auto pair = on(Tensor<T, 4>({1, 1, 1, 2}, {1, -1}));
  const auto labels = on(Tensor<int, 1>({2}, {2, 0}));
  const Tensor<T, 1, Device> none;

  check("relu", relu);
  check("leaky_relu", leaky_relu);
  check("elu", elu);
  check("gelu", gelu);
  check("gelu_tanh", gelu_tanh);
  check("silu", silu);
  check("sigmoid", sigmoid);
  check("tanh", [](const auto& x) { return tanh(x); });
  check("softplus", softplus);
  check("exp", [](const auto& x) { return exp(x); });
  check("log", [](const auto& x) { return log(x); });
  check("sqrt", [](const auto& x) { return sqrt(x); });
  check("square", [](const auto& x) { return square(x); });
  check("abs", [](const auto& x) { return abs(x); });
  check("sin", [](const auto& x) { return sin(x); });
  check("cos", [](const auto& x) { return cos(x); });
  check("neg", [](const auto& x) { return -x; });
  check("clamp", Clamp{-1.5, 2.5});
  check("pow 2", [](const auto& x) { return pow(x, 2); });
  check("pow 0", [](const auto& x) { return pow(x, 0); });
  check("2 pow", [](const auto& x) { return pow(2, x); });
  check("add", [](const auto& x) { return x + 1; });
  check("mul", [](const auto& x) { return 2 * x; });
  check("div", [](const auto& x) { return 1 / x; });
  check("sub of two", [&](const auto& x) { return x - c; });
  check("div of two", [&](const auto& x) { return x / c; });
  check("pow of two", [&](const auto& x) { return pow(x, c); });
  check("maximum", [&](const auto& x) { return maximum(x, c); });
  check("minimum", [&](const auto& x) { return minimum(x, c); });
  check("maximum of a number", [](const auto& x) { return maximum(x, 0.25); });
  check("sum", [](const auto& x) { return sum(x); });
  check("sum of rows", [](const auto& x) { return sum(x, 1); });
  check("mean of rows", [](const auto& x) { return mean(x, 1); });
  check("variance of rows", [](const auto& x) { return variance(x, 1); });
  check("max", [](const auto& x) { return max(x); });
  check("max of rows", [](const auto& x) { return max(x, 1); });
  check("max of columns", [](const auto& x) { return max(x, 0); });
  check("min of rows", [](const auto& x) { return min(x, 1); });
  check("softmax", [](const auto& x) { return softmax(x, 1); });
  check("log_softmax", [](const auto& x) { return log_softmax(x, 1); });
  check("softmax of columns", [](const auto& x) { return softmax(x, 0); });
  check("max_pool2d", [&](const auto& x) { return max_pool2d(image(x), 2); });
  check("max_pool2d 3", [&](const auto& x) {
    return max_pool2d(image(x), {.kernel = 3, .stride = 1, .padding = 1});
  });
  check("avg_pool2d", [&](const auto& x) { return avg_pool2d(image(x), 2); });
  check("global_avg_pool2d", [&](const auto& x) { return global_avg_pool2d(image(x)); });
  check("upsample_nearest2d",
        [&](const auto& x) { return upsample_nearest2d(image(x), Scale2(2)); });
  check("upsample_bilinear2d",
        [&](const auto& x) { return upsample_bilinear2d(image(x), Size2(2, 8)); });
  check("conv2d", [&](const auto& x) { return conv2d(image(x), lines); });
  check("conv_transpose2d",
        [&](const auto& x) { return conv_transpose2d(image(x), pair, {.stride = 2}); });
  check("matmul", [&](const auto& x) { return matmul(x, transpose(w)); });
  check("linear", [&](const auto& x) { return linear(x, w); });
  check("linear, relu", [&](const auto& x) { return linear(x, w, none, Activation::relu); });
  check("layer_norm", [](const auto& x) { return layer_norm(x, Shape{4}); });
  check("group_norm", [](const auto& x) { return group_norm(x, 2); });
  check("batch_norm", [&](const auto& x) { return batch_norm(x, none, none, {.training = true}); });
  check("concat", [](const auto& x) { return concat({x, slice(x, 1, 0, 1)}, 1); });
  check("slice", [](const auto& x) { return slice(x, 1, 1, 3); });
  check("pad",
        [&](const auto& x) { return pad2d(image(x), Size2(0, 1), {.mode = PadMode::reflect}); });
  check("transpose", [](const auto& x) { return transpose(x); });
  check("dropout of nothing", [](const auto& x) { return dropout(x, 0.0); });
  check("mse_loss", [&](const auto& x) { return mse_loss(x, mask); });
  check("l1_loss", [&](const auto& x) { return l1_loss(x, mask); });
  check("huber_loss", [&](const auto& x) { return huber_loss(x, mask); });
  check("bce_with_logits", [&](const auto& x) { return bce_with_logits(x, mask); });
  check("cross_entropy", [&](const auto& x) { return cross_entropy(x, labels); });
  check("nll_loss", [&](const auto& x) { return nll_loss(x, labels); });
  check("focal_loss", [&](const auto& x) { return focal_loss(x, labels); });
  check("binary_focal_loss", [&](const auto& x) { return binary_focal_loss(x, mask); });
  check("dice_loss", [&](const auto& x) { return dice_loss(x, mask); });
}

/// Checks that nan goes where it goes in PyTorch, and nowhere else.
template <class T, class Device>
void check_not_a_number() {
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  const auto x = to<Device>(Tensor<T, 2>({2, 4}, {1, nan, -2, 0.5, 3, 0, -1, 2}));
  std::size_t row = 0;
  each_operation_with_nan<T, Device>([&](const std::string& name, const auto& f) {
    REQUIRE(row < operations_with_nan().size());
    const WithNan& expected = operations_with_nan()[row++];
    REQUIRE(name == expected.name);
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = f(v);
    INFO(name);
    CHECK(agree(y.value().values(), expected.value));
    backward(y, tensor_of<std::remove_cvref_t<decltype(y)>>::ones(y.shape()));
    CHECK(agree(v.grad().values(), expected.gradient));
  });
  CHECK(row == operations_with_nan().size());
  // torch.argmax(x, 1), torch.argmax(x, 0): printed by the same script
  CHECK(argmax(x, 1).values() == std::vector<int>{1, 0});
  CHECK(argmax(x, 0).values() == std::vector<int>{1, 0, 1, 1});
}

}  // namespace ebb::test
