#include <ebb/tape/forward.hpp>

#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

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

TEST_CASE("plain tensors and parameters inside the function are constants", "[tape][forward]") {
  // W, b, t, x, v as below; f = lambda x: F.mse_loss(torch.tanh(F.linear(x, W, b)), t)
  // from torch.autograd.functional import jvp, hvp; jvp(f, x, v), torch.autograd.grad(f(x), x),
  // hvp(f, x, v)[1]
  nn::Linear<double> layer(3, 2);
  layer.weight.set(Tensor<double, 2>({2, 3}, {0.5, -1, 2, 1, 0.25, -0.5}));
  layer.bias.set(Tensor<double, 1>({2}, {0.1, -0.2}));
  const Tensor<double, 2> t({2, 2}, {0.3, -0.6, 1, 0.5});
  const Tensor<double, 2> x({2, 3}, {1, 2, -1, 0.5, -0.25, 0.75}),
      v({2, 3}, {1, -1, 0.5, 0, 2, -1});
  const auto f = [&](const auto& z) { return mse_loss(tanh(layer(z)), t); };
  const auto d = jvp(f, x, v);
  CHECK(d.value.item() == Approx(1.1207530351321147).epsilon(1e-14));
  CHECK(d.tangent.item() == Approx(-0.27610093675636854).epsilon(1e-13));
  const auto h = hvp(f, x, v);
  const std::vector<double> gradient = {0.0786501427548276,   0.022907519588490754,
                                        -0.04581503917698151, -0.3128068909214029,
                                        -0.07723401008355366, 0.1544680201671073};
  const std::vector<double> product = {-0.08033352209150768, -0.0039223497769356516,
                                       0.007844699553871303, 0.3894084919361488,
                                       0.11249239691726011,  -0.22498479383452022};
  CHECK(test::difference(h.gradient, gradient) < 1e-14);
  CHECK(test::difference(h.product, product) < 1e-14);
}

TEST_CASE("every operation of two operands takes a constant beside dual numbers",
          "[tape][forward]") {
  const auto c4 = random<double>(Shape{3, 2, 3, 3}, 5);
  const auto c1 = random<double>(Shape{2}, 6), more = random<double>(Shape{2}, 7, 0.5, 2);
  const auto same = random<double>(Shape{2, 2, 4, 4}, 8, 0, 1);
  const Tensor<int, 3> labels = Tensor<int, 3>::zeros({2, 4, 4});
  // The slope along v must be that which the tape finds, which is checked against PyTorch.
  const auto check = [&](const char* name, const auto& f) {
    const auto x = random<double>(Shape{2, 2, 4, 4}, 1), v = random<double>(Shape{2, 2, 4, 4}, 2);
    const auto total = [&](const auto& z) { return sum(square(f(z))); };
    Tape tape;
    const auto watched = tape.watch(x);
    backward(total(watched));
    double along = 0;
    for (Index i = 0; i < x.size(); ++i) along += watched.grad().data()[i] * v.data()[i];
    INFO(name);
    CHECK(jvp(total, x, v).tangent.item() == Approx(along).epsilon(1e-12));
  };
  check("add", [&](const auto& x) { return same + x * same; });
  check("pow", [&](const auto& x) { return pow(square(x) + 1, same) / (same + 1); });
  check("maximum", [&](const auto& x) { return maximum(x, same) - minimum(same, x); });
  check("matmul", [&](const auto& x) {
    return matmul(reshape(x, Shape{2, 8, 4}), reshape(same, Shape{2, 4, 8}));
  });
  check("conv2d", [&](const auto& x) { return conv2d(x, c4, {.padding = 1}); });
  check("conv_transpose2d", [&](const auto& x) {
    return conv_transpose2d(x, reshape(c4, Shape{2, 3, 3, 3}), random<double>(Shape{3}, 4));
  });
  check("group_norm", [&](const auto& x) { return group_norm(x, 1, more, c1); });
  check("layer_norm", [&](const auto& x) {
    return layer_norm(x, random<double>(Shape{4}, 3), random<double>(Shape{4}, 4));
  });
  check("batch_norm", [&](const auto& x) { return batch_norm(x, c1, more, more, c1); });
  check("concat", [&](const auto& x) { return concat<1>(same, x); });
  check("mse_loss", [&](const auto& x) { return mse_loss(x, same); });
  check("bce_with_logits",
        [&](const auto& x) { return bce_with_logits(x, same, {.pos_weight = more}); });
  check("cross_entropy",
        [&](const auto& x) { return cross_entropy(x, labels, {.weights = more}); });
  check("focal_loss", [&](const auto& x) { return focal_loss(x, labels, {.weights = more}); });
  check("dice_loss", [&](const auto& x) { return dice_loss(x, same); });
}

TEST_CASE("dual numbers of dual numbers carry second derivatives", "[tape][forward]") {
  // f = x^3 e^-x + sqrt(x) log(x) and g = sin(x) tanh(x) + gelu(x), whose second derivatives are
  // written out below (p is the normal density).
  const Tensor<double, 1> x({3}, {0.5, 1, 2.5}), v({3}, {1, -2, 0.5});
  const auto second = [&](const auto& f) {
    const auto slope = [&](const auto& z) {
      using Tens = std::remove_cvref_t<decltype(z)>;
      return jvp(f, z, Tens(v)).tangent;
    };
    return jvp(slope, x, v).tangent;
  };
  const auto cube = second([](const auto& z) { return pow(z, 3) * exp(-z) + sqrt(z) * log(z); });
  const auto waves = second([](const auto& z) { return sin(z) * tanh(z) + gelu(z); });
  // f'' = (x^3 - 6 x^2 + 6 x) e^-x - log(x) / (4 x sqrt(x)), times v^2
  for (Index i = 0; i < 3; ++i) {
    const double z = x(i);
    const double exact =
        (z * z * z - 6 * z * z + 6 * z) * std::exp(-z) - std::log(z) / (4 * z * std::sqrt(z));
    CHECK(cube(i) == Approx(exact * v(i) * v(i)).epsilon(1e-12));
    // g'' = -sin tanh + 2 cos (1 - tanh^2) - 2 sin tanh (1 - tanh^2) + (2 - x^2) p(x)
    const double s = std::sin(z), c = std::cos(z), t = std::tanh(z);
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979323846);
    const double other =
        -s * t + 2 * c * (1 - t * t) - 2 * s * t * (1 - t * t) + (2 - z * z) * density;
    CHECK(waves(i) == Approx(other * v(i) * v(i)).epsilon(1e-12));
  }
  // The second derivative of a whole function is what `hvp` finds.
  const auto w = random<double>(Shape{3, 4}, 3);
  const auto loss = [&](const auto& z) {
    return sum(square(tanh(matmul(reshape(z, Shape{1, 3}), w))));
  };
  const auto h = hvp(loss, x, v);
  double curvature = 0;
  for (Index i = 0; i < 3; ++i) curvature += h.product(i) * v(i);
  const auto twice = jvp(
      [&](const auto& z) {
        using Tens = std::remove_cvref_t<decltype(z)>;
        return jvp(loss, z, Tens(v)).tangent;
      },
      x, v);
  CHECK(twice.tangent.item() == Approx(curvature).epsilon(1e-12));
}
