// Initialisers against their definitions, and the fans and gains of torch.nn.init (1.13).
#include <ebb/nn/init.hpp>

#include <cmath>

#include "tests/support/catch.hpp"

using namespace ebb;
using namespace ebb::nn;
using Catch::Matchers::Contains;

namespace {

struct Moments {
  double mean = 0, deviation = 0, low = 1e9, high = -1e9;
};
template <class Tens>
Moments moments(const Tens& x) {
  Moments m;
  const auto values = x.values();
  for (const auto v : values) {
    m.mean += v;
    m.low = std::min<double>(m.low, v);
    m.high = std::max<double>(m.high, v);
  }
  m.mean /= static_cast<double>(values.size());
  for (const auto v : values) m.deviation += (v - m.mean) * (v - m.mean);
  m.deviation = std::sqrt(m.deviation / static_cast<double>(values.size()));
  return m;
}

/// The uniform distribution on [-bound, bound), as far as 64,000 numbers tell.
void check_uniform(const Tensor<double, 4>& x, double bound) {
  const auto m = moments(x);
  CHECK(std::abs(m.mean) < 0.01 * bound);
  CHECK(m.low >= -bound);
  CHECK(m.low < -0.999 * bound);
  CHECK(m.high < bound);
  CHECK(m.high > 0.999 * bound);
  CHECK(m.deviation == Approx(bound / std::sqrt(3.0)).epsilon(0.01));
}
void check_normal(const Tensor<double, 4>& x, double deviation) {
  const auto m = moments(x);
  CHECK(std::abs(m.mean) < 0.02 * deviation);
  CHECK(m.deviation == Approx(deviation).epsilon(0.01));
  CHECK(m.high > 3.5 * deviation);
}

}  // namespace

TEST_CASE("initialisers have the spread they promise") {
  manual_seed(1);
  const Shape shape{100, 40, 4, 4};  // fan in 640, fan out 1600
  Tensor<double, 4> x(shape);
  init::uniform(x, -3, 5);
  CHECK(moments(x).mean == Approx(1).margin(0.05));
  CHECK(moments(x).low >= -3);
  CHECK(moments(x).high < 5);
  init::normal(x, 2, 0.5);
  CHECK(moments(x).mean == Approx(2).margin(0.01));
  CHECK(moments(x).deviation == Approx(0.5).epsilon(0.01));
  init::constant(x, 7);
  CHECK(moments(x).low == 7);
  CHECK(moments(x).high == 7);
  init::zeros(x);
  CHECK(moments(x).high == 0);
  init::ones(x);
  CHECK(moments(x).low == 1);

  init::xavier_uniform(x);
  check_uniform(x, std::sqrt(6.0 / 2240));
  init::xavier_uniform(x, init::gain(init::Nonlinearity::tanh));
  check_uniform(x, 5.0 / 3 * std::sqrt(6.0 / 2240));
  init::xavier_normal(x);
  check_normal(x, std::sqrt(2.0 / 2240));
  init::kaiming_uniform(x);
  check_uniform(x, std::sqrt(6.0 / 640));
  init::kaiming_uniform(x, {.a = std::sqrt(5.0)});
  check_uniform(x, 1 / std::sqrt(640.0));
  init::kaiming_normal(x, {.fan = init::Fan::out, .nonlinearity = init::Nonlinearity::relu});
  check_normal(x, std::sqrt(2.0 / 1600));
  init::kaiming_normal(x, {.nonlinearity = init::Nonlinearity::linear});
  check_normal(x, std::sqrt(1.0 / 640));
}

TEST_CASE("gains are PyTorch's calculate_gain") {
  using enum init::Nonlinearity;
  CHECK(init::gain(linear) == 1);
  CHECK(init::gain(sigmoid) == 1);
  CHECK(init::gain(init::Nonlinearity::tanh) == 5.0 / 3);
  CHECK(init::gain(relu) == std::sqrt(2.0));
  CHECK(init::gain(leaky_relu) == Approx(1.4141428569978354));  // calculate_gain("leaky_relu")
  CHECK(init::gain(leaky_relu, 0.5) == Approx(1.2649110640673518));
  CHECK(init::gain(selu) == 0.75);
}

TEST_CASE("numbers repeat with the seed, and differ from call to call") {
  Tensor<float, 2> x({3, 4}), y({3, 4});
  manual_seed(4);
  init::normal(x);
  init::normal(y);
  CHECK(x.values() != y.values());
  manual_seed(4);
  init::normal(y);
  CHECK(x.values() == y.values());
  Generator own{4, 0};
  const Generator before = default_generator();
  init::normal(y, 0, 1, own);
  CHECK(x.values() == y.values());
  CHECK(own.next == 1);
  CHECK(default_generator() == before);
  const Param<Tensor<float, 2>> p(x.clone());  // parameters are filled in place
  init::constant(p, 2);
  CHECK(p.value()(2, 3) == 2);
}

TEST_CASE("orthogonal weights are orthogonal") {
  manual_seed(2);
  const auto check = [](auto shape, double gain) {
    Tensor<double, decltype(shape)::rank> x(shape);
    init::orthogonal(x, gain);
    const Index rows = shape[0], columns = shape.size() / rows;
    const double* w = x.data();
    const bool tall = rows > columns;
    const Index count = tall ? columns : rows, length = tall ? rows : columns;
    for (Index a = 0; a < count; ++a)
      for (Index b = 0; b < count; ++b) {
        double dot = 0;
        for (Index i = 0; i < length; ++i)
          dot += tall ? w[i * columns + a] * w[i * columns + b]
                      : w[a * columns + i] * w[b * columns + i];
        CHECK(std::abs(dot - (a == b ? gain * gain : 0)) < 1e-12);
      }
    return x;
  };
  check(Shape{6, 6}, 1);
  check(Shape{9, 4}, 1);
  check(Shape{4, 9}, 2);
  check(Shape{4, 2, 3, 3}, 1);
  check(Shape{20, 2, 3, 3}, 1);
  check(Shape{5, 1}, 1);
  const auto one = check(Shape{1, 1}, 1);
  CHECK(std::abs(one(0, 0)) == 1);

  // Uniformly distributed: the sign of each element is a coin.
  int positive = 0;
  Tensor<double, 2> x({2, 2});
  for (int i = 0; i < 400; ++i) {
    init::orthogonal(x);
    positive += x(0, 0) > 0;
  }
  CHECK(std::abs(positive - 200) < 50);
}

TEST_CASE("initialisers refuse what has no fans, or no sense") {
  Tensor<float, 1> vector({3});
  CHECK_THROWS_AS(init::kaiming_uniform(vector), ShapeError);
  CHECK_THROWS_WITH(init::xavier_normal(vector),
                    Contains("a parameter of shape (3) has no fan-in and fan-out"));
  CHECK_THROWS_AS(init::orthogonal(vector), ShapeError);
  CHECK_THROWS_AS(init::uniform(vector, 2, 1), ValueError);
  CHECK_THROWS_AS(init::normal(vector, 0, -1), ValueError);
}
