// Functions of parameters are recorded wherever a layer's input is, or do not compile.
#include <ebb/tape/track.hpp>

#include <ebb/ops/ops.hpp>
#include <ebb/tape/backward.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

namespace {

using Matrix = Tensor<double, 2>;
using Vector = Tensor<double, 1>;
using Values = std::vector<double>;

struct Parameters {
  Param<Matrix> w{Matrix({2, 3}, {0.3, -0.2, 0.5, -0.4, 0.1, 0.6})};
  Param<Vector> b{Vector({2}, {0.7, -1.1})};
};

/// Runs `loss(parameters, x)` on a variable and on the plain x, and compares with the numbers of
/// tests/oracle/parameter_functions.py (PyTorch).
template <class F>
void compare(F loss, double expected, const Values& dw, const Values& db) {
  const Matrix x({2, 3}, {0.5, -1.0, 2.0, 1.5, 0.25, -0.75});
  const Parameters p;
  Tape tape;
  const auto y = loss(p, tape.input(x));
  CHECK(y.item() == Approx(expected).epsilon(1e-14));
  CHECK(loss(p, x).item() == y.item());
  backward(y);
  REQUIRE(p.w.grad().defined());
  REQUIRE(p.b.grad().defined());
  for (std::size_t i = 0; i < dw.size(); ++i)
    CHECK(p.w.grad().values()[i] == Approx(dw[i]).epsilon(1e-14).margin(1e-15));
  for (std::size_t i = 0; i < db.size(); ++i)
    CHECK(p.b.grad().values()[i] == Approx(db[i]).epsilon(1e-14));
}

}  // namespace

TEST_CASE("tied weights, weight normalisation, masks and penalties learn as in PyTorch", "[tape]") {
  compare(
      [](const Parameters& p, const auto& x) {
        const auto code = tanh(linear(x, p.w, p.b));
        return mean(square(linear(code, transpose(p.w.on(x))) - x));
      },
      0.7689995145556718,
      {-0.22728716128160603, 0.18083966807296767, -0.48043068405188377, 0.18912169700187287,
       0.3759355491680414, -0.5998607121421584},
      {-0.0103745924667824, -0.2609786410987202});

  compare(
      [](const Parameters& p, const auto& x) {
        const auto v = p.w.on(x);
        const auto weight = transpose(transpose(v) * (p.b.on(x) / sqrt(sum(square(v), 1))));
        return mean(square(linear(x, weight)));
      },
      1.6496784229145973,
      {-0.4686006752077561, -0.24771468144044306, 0.1820745325484765, 0.3615677287290846,
       -1.7206100925596297, 0.527813501245995},
      {1.6791940789473683, -1.9308372641509433});

  const Matrix mask({2, 3}, {1, 0, 1, 0, 1, 1});
  compare([&](const Parameters& p,
              const auto& x) { return mean(square(linear(x, p.w.on(x) * mask, p.b))); },
          1.5871874999999998, {1.04375, 0, 1.559375, 0, -0.19062499999999988, 0.5718749999999997},
          {1.3125, -0.7625000000000001});

  compare(
      [](const Parameters& p, const auto& x) {
        return mean(square(linear(x, p.w, p.b))) + 0.1 * sum(square(p.w.on(x))) +
               0.01 * sum(abs(p.b.on(x)));
      },
      2.4299375,
      {1.11625, -0.974375, 1.8781249999999998, -1.7237500000000001, -0.1456249999999999,
       0.7168749999999998},
      {1.3974999999999997, -1.1725});
}

TEST_CASE("a frozen parameter on a tape is a constant, an absent one an error", "[tape][errors]") {
  const Parameters p;
  p.w.set_trainable(false);
  Tape tape;
  const auto x = tape.input(Matrix({2, 3}));
  CHECK_FALSE(square(p.w.on(x)).wants_grad());
  CHECK(tape.size() == 0);
  CHECK_THROWS_AS(Param<Vector>().on(x), ValueError);
}

TEST_CASE("an operation of parameters without a variable is refused by the compiler", "[tape]") {
  using V = Var<Matrix>;
  using P = Param<Matrix>;
  using T = Matrix;
  using detail::loses_nothing;
  for (const bool refused : {loses_nothing<Op, P>, loses_nothing<const char*, P>,
                             loses_nothing<Op, P, T>, loses_nothing<Op, T, P>,  // weight * mask
                             loses_nothing<Op, P, P>, loses_nothing<Op, std::vector<P>>,
                             loses_nothing<Op, std::span<const P>>, loses_nothing<LayerOp, P, P, P>,
                             loses_nothing<LayerOp, P, T, T>})
    CHECK_FALSE(refused);
  for (const bool accepted :
       {loses_nothing<Op, T>, loses_nothing<Op, V, P>, loses_nothing<Op, P, V>,
        loses_nothing<Op, T, P, V>, loses_nothing<Op, std::vector<V>>, loses_nothing<Op, T, T>,
        loses_nothing<LayerOp, T, P, P>, loses_nothing<LayerOp, P, V, T>,
        loses_nothing<LayerOp, V, P, P>})
    CHECK(accepted);
}
