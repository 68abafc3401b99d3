#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/tensor/eigen.hpp>

#include "tests/support/elementwise.hpp"
#include "tests/support/kernels.hpp"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <utility>

using namespace ebb;

namespace {

// An operation as a user writes it: ten lines.
struct Gaussian : Elementwise<Gaussian> {
  static constexpr const char* name = "gaussian";
  double width = 1;

  explicit constexpr Gaussian(double w = 1) : width(w) {}
  template <class T>
  EBB_HD T value(T x) const {
    using std::exp;
    return exp(-x * x / T(2 * width * width));
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return -x / T(width * width) * value(x);
  }
};
constexpr Gaussian gaussian;

struct Tripled : Elementwise<Tripled> {
  static constexpr const char* name = "tripled";
  template <class T>
  EBB_HD T value(T x) const {
    return T(3) * x;
  }
  EBB_HD static constexpr double slope() { return 3; }
};

// An operation from Eigen expressions alone: y = x log(1 + x^2). (The maps have names because
// Eigen's expressions refer to them.)
template <Operand X>
auto x_log(const X& x) {
  const auto m = value(x).eigen();
  tensor_of<X> y = m * m.square().log1p();
  return track(
      "x_log", y,
      [v = value(x), dx = sink(x)](const auto& dy) {
        const auto m = v.eigen(), g = dy.eigen();
        const auto slope = m.square().log1p() + m.square() * 2.0 / (m.square() + 1.0);
        if (dx) dx.give(tensor_of<X>(g * slope));
      },
      x);
}

/// A number, and the size of what it is summed from: where terms cancel, as at the zero of a slope,
/// a result can only be right to the digits of those.
struct Exact {
  double value, size;
};
Exact alone(double value) { return {value, std::abs(value)}; }
Exact total(double a, double b) { return {a + b, std::abs(a) + std::abs(b)}; }
/// Of a tail that is multiplied by `factor`, which multiplies the last place of a denormal tail
/// too.
Exact scaled(const Exact& exact, double factor) {
  return {exact.value, std::max(exact.size, std::abs(factor) * std::ldexp(1.0, -126))};
}

/// The distance of `found` from what is exact, in units of the last place of its size; such a unit
/// is never below the smallest denormal number.
double units_apart(float found, const Exact& exact) {
  const auto rounded = static_cast<float>(exact.value);
  if (found == rounded || (std::isnan(found) && std::isnan(rounded))) return 0;
  if (!std::isfinite(found) || !std::isfinite(rounded)) return 1e30;
  const double unit = exact.size > 0 ? std::ldexp(1.0, std::ilogb(exact.size) - 23) : 0;
  return std::abs(static_cast<double>(found) - exact.value) / std::max(unit, std::ldexp(1.0, -149));
}

/// Checks f and its slope at every 99991st float between `low` and `high`, all of them where the
/// environment has EBB_TEST_STRIDE=1, against formulas in double.
template <class F, class Value, class Slope>
void check_digits(const char* name, const F& f, double value_units, const Value& value,
                  double slope_units, const Slope& slope, float low = -INFINITY,
                  float high = INFINITY) {
  const char* const asked = std::getenv("EBB_TEST_STRIDE");
  const std::uint64_t step = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 99991;
  double worst[2] = {}, at[2] = {};
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32;) {
    std::vector<float> x;
    for (; bits < std::uint64_t{1} << 32 && x.size() < 65536; bits += step) {
      const auto v = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      if (v >= low && v <= high) x.push_back(v);
    }
    const auto n = static_cast<Index>(x.size());
    if (n == 0) continue;
    Tape tape;
    const auto v = tape.watch(Tensor<float, 1>::from(Shape{n}, x));
    const auto y = f(v);
    backward(y, Tensor<float, 1>::ones({n}));
    const auto found = y.value().values(), slopes = v.grad().values();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto exact = static_cast<double>(x[i]);
      const double apart[2] = {units_apart(found[i], value(exact)),
                               units_apart(slopes[i], slope(exact))};
      for (int k = 0; k < 2; ++k)
        if (apart[k] > worst[k]) worst[k] = apart[k], at[k] = exact;
    }
  }
  INFO(name << ": value off by " << worst[0] << " units at " << at[0] << ", slope by " << worst[1]
            << " at " << at[1]);
  CHECK(worst[0] <= value_units);
  CHECK(worst[1] <= slope_units);
}

double logistic(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
double normal_cdf(double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }

}  // namespace

// The bounds are those of docs/numbers.md.
TEST_CASE("functions of float are right to the digits they promise", "[ops][elementwise]") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    check_digits(
        "exp", [](const auto& x) { return exp(x); }, 1, [](double x) { return alone(std::exp(x)); },
        1, [](double x) { return alone(std::exp(x)); });
    check_digits(
        "log", [](const auto& x) { return log(x); }, 1, [](double x) { return alone(std::log(x)); },
        1, [](double x) { return alone(1 / x); }, 0);
    check_digits(
        "sqrt", [](const auto& x) { return sqrt(x); }, 1,
        [](double x) { return alone(std::sqrt(x)); }, 2,
        [](double x) { return alone(0.5 / std::sqrt(x)); }, 0);
    check_digits(
        "tanh", [](const auto& x) { return tanh(x); }, 3,
        [](double x) { return alone(std::tanh(x)); }, 4,
        [](double x) { return total(1, -std::tanh(x) * std::tanh(x)); });
    check_digits(
        "sigmoid", [](const auto& x) { return sigmoid(x); }, 3,
        [](double x) { return alone(logistic(x)); }, 4,
        [](double x) {
          return Exact{logistic(x) * logistic(-x), logistic(x)};
        });
    check_digits(
        "softplus", [](const auto& x) { return softplus(x); }, 3,
        [](double x) { return alone(x > 20 ? x : std::log1p(std::exp(x))); }, 3,
        [](double x) { return alone(x > 20 ? 1 : logistic(x)); });
    check_digits(
        "silu", [](const auto& x) { return silu(x); }, 4,
        [](double x) { return scaled(alone(x * logistic(x)), x); }, 10,
        [](double x) { return scaled(total(logistic(x), x * logistic(x) * logistic(-x)), x); },
        -1e30f, 1e30f);
    check_digits(
        "elu", [](const auto& x) { return elu(x); }, 2,
        [](double x) { return alone(x > 0 ? x : std::expm1(x)); }, 1,
        [](double x) { return alone(x > 0 ? 1 : std::exp(x)); });
    check_digits(
        "gelu", [](const auto& x) { return gelu(x); }, 10,
        [](double x) { return alone(x * normal_cdf(x)); }, 10,
        [](double x) {
          return total(normal_cdf(x), x * std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI));
        },
        -1e18f, 1e18f);
    const auto twice_u = [](double x) {
      return 2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    };
    check_digits(
        "gelu_tanh", [](const auto& x) { return gelu_tanh(x); }, 4,
        [=](double x) { return scaled(alone(x * logistic(twice_u(x))), x); }, 8,
        [=](double x) {
          const double s = logistic(twice_u(x)), q = logistic(-twice_u(x));
          const double rate = 2 * std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
          return scaled(total(s, s * q == 0 ? 0.0 : x * s * q * rate), std::min(1e3, x * rate));
        },
        -1e30f, 1e30f);
    check_digits(
        "sin", [](const auto& x) { return sin(x); }, 1, [](double x) { return alone(std::sin(x)); },
        1, [](double x) { return alone(std::cos(x)); });
  });
}

TEST_CASE("a user's elementwise operation", "[ops][elementwise]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = torch.exp(-x * x / 2); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(gaussian, {-3, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.011108996538242306, 0.4867522559599717, 0.9231163463866358,
                           0.9559974818331, 0.5460744266397094, 0.04393693362340742},
                          {0.033326989614726917, 0.584102707151966, 0.36924653855465434,
                           -0.28679924454993, -0.6006818693036804, -0.10984233405851855});
  CHECK_GRADIENTS(Gaussian(0.5), test::random<double>(Shape{2, 3}));
}

TEST_CASE("a constant slope saves nothing", "[ops][elementwise]") {
  Tensor<float, 1> x({3}, {1, 2, 3});
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = Tripled{}(v);
  CHECK(y.value().values() == std::vector<float>{3, 6, 9});
  backward(y, Tensor<float, 1>({3}, {1, 10, 100}));
  CHECK(v.grad().values() == std::vector<float>{3, 30, 300});
}

TEST_CASE("an operation from Eigen expressions alone", "[ops][elementwise]") {
  const auto x = test::random<double>(Shape{2, 3});
  const auto y = x_log(x);
  static_assert(is_tensor<decltype(x_log(x))>);
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 3; ++j)
      CHECK(std::abs(y(i, j) - x(i, j) * std::log1p(x(i, j) * x(i, j))) < 1e-14);
  CHECK_GRADIENTS([](const auto& v) { return x_log(v); }, x);
}

TEST_CASE("elementwise: tensors stay tensors, variables variables", "[ops][elementwise]") {
  const Tensor<float, 2> x({1, 2}, {1, 2});
  static_assert(std::is_same_v<decltype(gaussian(x)), Tensor<float, 2>>);
  Tape tape;
  static_assert(std::is_same_v<decltype(gaussian(tape.watch(x))), Var<Tensor<float, 2>>>);
  const auto y = gaussian(tape.input(x));
  CHECK_FALSE(y.wants_grad());
  CHECK(tape.size() == 0);
  gaussian(tape.watch(x));
  CHECK(tape.nodes().back().op == "gaussian");
  CHECK(tape.nodes().back().shape == "(1, 2)");
}

TEST_CASE("elementwise: empty and undefined tensors", "[ops][elementwise]") {
  CHECK(gaussian(Tensor<float, 2>(Shape{0, 3})).shape() == Shape{0, 3});
  CHECK(test::contains(test::error_of<ValueError>([] { gaussian(Tensor<float, 1>()); }),
                       "this tensor is undefined"));
  Tape tape;
  const auto v = tape.watch(Tensor<float, 1>(Shape{0}));
  backward(gaussian(v), Tensor<float, 1>(Shape{0}));
  CHECK(v.grad().size() == 0);
}
