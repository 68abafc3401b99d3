#include <ebb/ops/arithmetic.hpp>
#include <ebb/ops/elementwise.hpp>
#include <ebb/tensor/eigen.hpp>

#include "tests/support/elementwise.hpp"

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

}  // namespace

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
