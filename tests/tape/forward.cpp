#include <ebb/tape/forward.hpp>

#include <ebb/ops/exp.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using test::random;

namespace {

/// Rosenbrock's function of n variables, as one operation with a pullback by hand, so that its
/// Hessian in closed form checks forward over reverse.
///   f(x) = sum_i 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2
struct Rosenbrock {
  template <Operand X>
  auto operator()(const X& x) const {
    using T = scalar_of<X>;
    const auto& v = value(x);
    const Index n = v.size();
    T sum(0);
    for (Index i = 0; i + 1 < n; ++i) {
      const T a = v(i + 1) - v(i) * v(i), b = T(1) - v(i);
      sum += T(100) * a * a + b * b;
    }
    return track(
        "rosenbrock", Tensor<T, 0>(sum),
        [v, n, dx = sink(x)](const auto& dy) {
          Tensor<T, 1> g = Tensor<T, 1>::zeros({n});
          for (Index i = 0; i + 1 < n; ++i) {
            const T a = v(i + 1) - v(i) * v(i), b = T(1) - v(i);
            g(i) += dy.item() * (T(-400) * v(i) * a - T(2) * b);
            g(i + 1) += dy.item() * T(200) * a;
          }
          if (dx) dx.give(g);
        },
        x);
  }
};

}  // namespace

TEST_CASE("Hessian-vector products equal the closed form of Rosenbrock's function",
          "[tape][forward]") {
  const Index n = 5;
  const auto x = random<double>(Shape{n}, 1), v = random<double>(Shape{n}, 2);
  const auto result = hvp(Rosenbrock{}, x, v);

  // H(i,i) = 1200 x_i^2 - 400 x_{i+1} + 2 (+ 200 where i > 0), H(i,i+1) = -400 x_i.
  for (Index i = 0; i < n; ++i) {
    double expected = 0;
    if (i + 1 < n)
      expected += (1200 * x(i) * x(i) - 400 * x(i + 1) + 2) * v(i) - 400 * x(i) * v(i + 1);
    if (i > 0) expected += 200 * v(i) - 400 * x(i - 1) * v(i - 1);
    CHECK(result.product(i) == Approx(expected).epsilon(1e-13));
  }
  CHECK(result.value == Approx(Rosenbrock{}(x).item()));

  Tape tape;
  const auto watched = tape.watch(x);
  backward(Rosenbrock{}(watched));
  for (Index i = 0; i < n; ++i) CHECK(result.gradient(i) == Approx(watched.grad()(i)));
}

TEST_CASE("jvp is the derivative along the direction", "[tape][forward]") {
  const auto x = random<double>(Shape{2, 3}, 1), v = random<double>(Shape{2, 3}, 2);
  const auto result = jvp(Exp{}, x, v);
  for (Index i = 0; i < 6; ++i) {
    CHECK(result.value.data()[i] == Approx(std::exp(x.data()[i])));
    CHECK(result.tangent.data()[i] == Approx(std::exp(x.data()[i]) * v.data()[i]));
  }
}

TEST_CASE("a direction of another shape is refused", "[tape][forward]") {
  CHECK_THROWS_WITH(
      jvp(Exp{}, random<double>(Shape{2}), random<double>(Shape{3})),
      "dual: the point has shape (2) but the direction has (3); they must be the same");
}

TEST_CASE("dual numbers follow the rules of differentiation", "[tape][dual]") {
  using D = Dual<double>;
  const D x(0.7, 1.0);
  const auto check = [](D y, double value, double slope) {
    CHECK(y.value == Approx(value));
    CHECK(y.tangent == Approx(slope));
  };
  check(x * x + 3 * x - 1, 0.49 + 2.1 - 1, 2 * 0.7 + 3);
  check(2 / x, 2 / 0.7, -2 / 0.49);
  check(x / (1 + x), 0.7 / 1.7, 1 / (1.7 * 1.7));
  check(exp(x), std::exp(0.7), std::exp(0.7));
  check(expm1(x), std::expm1(0.7), std::exp(0.7));
  check(log(x), std::log(0.7), 1 / 0.7);
  check(log1p(x), std::log1p(0.7), 1 / 1.7);
  check(sqrt(x), std::sqrt(0.7), 0.5 / std::sqrt(0.7));
  check(sin(x), std::sin(0.7), std::cos(0.7));
  check(cos(x), std::cos(0.7), -std::sin(0.7));
  check(tanh(x), std::tanh(0.7), 1 - std::tanh(0.7) * std::tanh(0.7));
  // d erf(x) / dx = 2 / sqrt(pi) exp(-x^2)
  check(erf(x), std::erf(0.7), 2 / std::sqrt(std::acos(-1.0)) * std::exp(-0.49));
  check(abs(-x), 0.7, 1);
  check(pow(x, D(3)), 0.343, 3 * 0.49);
  check(pow(D(2), x), std::pow(2, 0.7), std::pow(2, 0.7) * std::log(2));
  check(pow(-x, D(2)), 0.49, 2 * 0.7);
  CHECK(D(1, 5) == D(1, 7));
  CHECK(D(1, 5) < D(2, 0));
}
