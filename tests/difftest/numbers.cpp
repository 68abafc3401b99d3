// Functions of one tensor and of two, reductions, softmax, products.
#include "driver.hpp"

namespace difftest {
namespace {

template <class T>
void unary_of(const Case& asked, Result& result) {
  const auto x = asked.tensor<T, 1>(0);
  const std::string f = asked.text("f");
  const double a = asked.number("a", 1), b = asked.number("b", 1);
  const T c = static_cast<T>(a);
  const auto run = [&](auto op) { differentiate<T>(asked, result, op, x); };
  if (f == "relu") return run(relu);
  if (f == "relu6") return run(relu6);
  if (f == "hard_swish") return run(hard_swish);
  if (f == "leaky_relu") return run(LeakyRelu{a});
  if (f == "elu") return run(Elu{a});
  if (f == "gelu") return run(gelu);
  if (f == "gelu_tanh") return run(gelu_tanh);
  if (f == "silu") return run(silu);
  if (f == "sigmoid") return run(sigmoid);
  if (f == "tanh") return run([](const auto& v) { return tanh(v); });
  if (f == "softplus") return run(Softplus{a, b});
  if (f == "exp") return run([](const auto& v) { return exp(v); });
  if (f == "log") return run([](const auto& v) { return log(v); });
  if (f == "sqrt") return run([](const auto& v) { return sqrt(v); });
  if (f == "square") return run([](const auto& v) { return square(v); });
  if (f == "abs") return run([](const auto& v) { return abs(v); });
  if (f == "sin") return run([](const auto& v) { return sin(v); });
  if (f == "cos") return run([](const auto& v) { return cos(v); });
  if (f == "clamp") return run(Clamp{a, b});
  if (f == "pow_to") return run([c](const auto& v) { return pow(v, c); });
  if (f == "pow_of") return run([c](const auto& v) { return pow(c, v); });
  if (f == "add") return run([c](const auto& v) { return v + c; });
  if (f == "sub") return run([c](const auto& v) { return c - v; });
  if (f == "mul") return run([c](const auto& v) { return v * c; });
  if (f == "div") return run([c](const auto& v) { return c / v; });
  if (f == "maximum") return run([c](const auto& v) { return maximum(v, c); });
  if (f == "minimum") return run([c](const auto& v) { return minimum(v, c); });
  unknown(asked);
}

template <class T, int A, int B>
void binary_of(const Case& asked, Result& result) {
  const auto a = asked.tensor<T, A>(0);
  const auto b = asked.tensor<T, B>(1);
  const std::string f = asked.text("f");
  const auto run = [&](auto op) { differentiate<T>(asked, result, op, a, b); };
  if (f == "add") return run([](const auto& x, const auto& y) { return x + y; });
  if (f == "sub") return run([](const auto& x, const auto& y) { return x - y; });
  if (f == "mul") return run([](const auto& x, const auto& y) { return x * y; });
  if (f == "div") return run([](const auto& x, const auto& y) { return x / y; });
  if (f == "pow") return run([](const auto& x, const auto& y) { return pow(x, y); });
  if (f == "maximum") return run([](const auto& x, const auto& y) { return maximum(x, y); });
  if (f == "minimum") return run([](const auto& x, const auto& y) { return minimum(x, y); });
  unknown(asked);
}

template <class T>
void reduction_of(const Case& asked, Result& result) {
  const auto x = asked.tensor<T, 3>(0);
  const std::string f = asked.text("f"), over = asked.text("axes");
  const int axis = asked.whole("axis");
  if (f == "argmax") return result.add(argmax(x, axis));
  const auto run = [&](auto op) {
    if (over == "all")
      differentiate<T>(
          asked, result, [&](const auto& v) { return op(v); }, x);
    else if (over == "one")
      differentiate<T>(
          asked, result, [&](const auto& v) { return op(v, axis); }, x);
    else
      differentiate<T>(
          asked, result,
          [&](const auto& v) {
            return op(v, Axes<2>{axis, (axis + 1) % 3});
          },
          x);
  };
  if (f == "sum") return run([](const auto&... v) { return sum(v...); });
  if (f == "mean") return run([](const auto&... v) { return mean(v...); });
  if (f == "max") return run([](const auto&... v) { return max(v...); });
  if (f == "min") return run([](const auto&... v) { return min(v...); });
  if (f == "variance") return run([](const auto&... v) { return variance(v...); });
  unknown(asked);
}

template <class T>
void softmax_of(const Case& asked, Result& result) {
  const auto x = asked.tensor<T, 3>(0);
  const int axis = asked.whole("axis");
  if (asked.text("f") == "softmax")
    differentiate<T>(
        asked, result, [&](const auto& v) { return softmax(v, axis); }, x);
  else
    differentiate<T>(
        asked, result, [&](const auto& v) { return log_softmax(v, axis); }, x);
}

template <class T>
void product_of(const Case& asked, Result& result) {
  const auto a = asked.tensor<T, 2>(0), b = asked.tensor<T, 2>(1);
  const auto next = asked.whole("relu") ? Activation::relu : Activation::none;
  if (asked.text("f") == "matmul")
    differentiate<T>(
        asked, result, [](const auto& x, const auto& y) { return matmul(x, y); }, a, b);
  else
    differentiate<T>(
        asked, result,
        [&](const auto& x, const auto& w, const auto& bias) { return linear(x, w, bias, next); }, a,
        b, asked.tensor<T, 1>(2));
}

}  // namespace

void unary(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { unary_of<T>(asked, result); });
}
void binary(const Case& asked, Result& result) {
  const std::size_t a = asked.rank(0), b = asked.rank(1);
  if (asked.text("T") == "f") return binary_of<float, 2, 2>(asked, result);
  if (a == 2 && b == 2) return binary_of<double, 2, 2>(asked, result);
  if (a == 1 && b == 3) return binary_of<double, 1, 3>(asked, result);
  if (a == 3 && b == 0) return binary_of<double, 3, 0>(asked, result);
  unknown(asked);
}
void reduction(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { reduction_of<T>(asked, result); });
}
void softmaxes(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { softmax_of<T>(asked, result); });
}
void product(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { product_of<T>(asked, result); });
}

}  // namespace difftest
