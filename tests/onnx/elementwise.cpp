// Elementwise operators, some of them composed of several of ebb's.

#include "runner.hpp"

#include <ebb/ops/ops.hpp>

#include <algorithm>
#include <limits>

namespace onnx_vectors {
namespace {

/// An operator of one tensor; the vectors of all of them are of float.
template <class F>
auto one(F f) {
  return [f](const Vector& v) -> Results {
    const Value& x = v.inputs.at(0);
    if (x.kind != Kind::real32) throw Skip("element type " + x.type);
    return {with_rank<1, 3>(x, [&](auto rank) { return result(f(v, tensor<float, rank()>(x))); })};
  };
}

/// Calls f(a, b) with two tensors; the one of lower rank gets axes of extent 1 in front.
template <class F>
Value two(const Value& first, const Value& second, F f) {
  if (second.kind != first.kind)
    throw Skip("operands of types " + first.type + " and " + second.type + ": ebb takes one type");
  const auto lifted = [rank = std::max(first.shape.size(), second.shape.size())](Value x) {
    x.shape.insert(x.shape.begin(), rank - x.shape.size(), 1);
    return x;
  };
  const Value b = lifted(second);
  return with_tensor<0, 3>(lifted(first), [&]<class T, int N>(const ebb::Tensor<T, N>& a) {
    return result(f(a, tensor<T, N>(b)));
  });
}

/// A function of two tensors, folded over as many inputs as there are.
template <class F>
auto fold(F f) {
  return [f](const Vector& v) -> Results {
    Value y = v.inputs.at(0);
    if (y.kind != Kind::real32 && y.kind != Kind::real64)
      throw Skip("element type " + y.type + ": ebb differentiates real numbers");
    for (std::size_t i = 1; i < v.inputs.size(); ++i) y = two(y, v.inputs[i], f);
    return {y};
  };
}

Results clip(const Vector& v) {
  if (v.inputs.at(0).kind == Kind::other)
    throw Skip("element type " + v.inputs[0].type + ": ebb differentiates real numbers");
  const auto limit = [&](std::size_t i, double otherwise) {
    return v.given(i) ? v.inputs[i].numbers.at(0) : otherwise;
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double low = limit(1, -infinity), high = limit(2, infinity);
  return {with_tensor<1, 3>(v.inputs.at(0),
                            [&](const auto& x) { return result(ebb::clamp(x, low, high)); })};
}

}  // namespace

void add_elementwise(Table& table) {
  using namespace ebb;
  table["Abs"] = one([](const Vector&, const auto& x) { return abs(x); });
  table["Neg"] = one([](const Vector&, const auto& x) { return -x; });
  table["Exp"] = one([](const Vector&, const auto& x) { return exp(x); });
  table["Log"] = one([](const Vector&, const auto& x) { return log(x); });
  table["Sqrt"] = one([](const Vector&, const auto& x) { return sqrt(x); });
  table["Sin"] = one([](const Vector&, const auto& x) { return sin(x); });
  table["Cos"] = one([](const Vector&, const auto& x) { return cos(x); });
  table["Tanh"] = one([](const Vector&, const auto& x) { return tanh(x); });
  table["Sigmoid"] = one([](const Vector&, const auto& x) { return sigmoid(x); });
  table["Relu"] = one([](const Vector&, const auto& x) { return relu(x); });
  table["Softplus"] = one([](const Vector&, const auto& x) { return softplus(x); });
  table["LeakyRelu"] =
      one([](const Vector& v, const auto& x) { return leaky_relu(x, v.real("alpha", 0.01)); });
  table["Elu"] = one([](const Vector& v, const auto& x) { return elu(x, v.real("alpha", 1)); });
  table["Reciprocal"] = one([](const Vector&, const auto& x) { return 1 / x; });

  // Composed, after the definitions in ONNX's list of operators.
  table["Tan"] = one([](const Vector&, const auto& x) { return sin(x) / cos(x); });
  table["Sinh"] = one([](const Vector&, const auto& x) { return (exp(x) - exp(-x)) / 2; });
  table["Cosh"] = one([](const Vector&, const auto& x) { return (exp(x) + exp(-x)) / 2; });
  table["Softsign"] = one([](const Vector&, const auto& x) { return x / (1 + abs(x)); });
  table["HardSigmoid"] = one([](const Vector& v, const auto& x) {
    return clamp(v.real("alpha", 0.2) * x + v.real("beta", 0.5), 0, 1);
  });
  table["HardSwish"] =
      one([](const Vector&, const auto& x) { return x * clamp(x / 6 + 0.5, 0, 1); });
  table["Selu"] = one([](const Vector& v, const auto& x) {
    return v.real("gamma", 1.0507009873554805) * elu(x, v.real("alpha", 1.6732632423543772));
  });
  table["Celu"] = one([](const Vector& v, const auto& x) {
    const double alpha = v.real("alpha", 1);
    return relu(x) - relu(-(alpha * (exp(x / alpha) - 1)));
  });

  table["Add"] = table["Sum"] = fold([](const auto& a, const auto& b) { return a + b; });
  table["Sub"] = fold([](const auto& a, const auto& b) { return a - b; });
  table["Mul"] = fold([](const auto& a, const auto& b) { return a * b; });
  table["Div"] = fold([](const auto& a, const auto& b) { return a / b; });
  table["Pow"] = fold([](const auto& a, const auto& b) { return pow(a, b); });
  table["Max"] = fold([](const auto& a, const auto& b) { return maximum(a, b); });
  table["Min"] = fold([](const auto& a, const auto& b) { return minimum(a, b); });
  table["PRelu"] =
      fold([](const auto& x, const auto& slope) { return relu(x) - slope * relu(-x); });
  table["Mean"] = [](const Vector& v) -> Results {
    const Value total = fold([](const auto& a, const auto& b) { return a + b; })(v).at(0);
    const auto count = static_cast<double>(v.inputs.size());
    return {with_tensor<1, 3>(total, [&](const auto& x) { return result(x / count); })};
  };
  table["Clip"] = clip;
}

}  // namespace onnx_vectors
