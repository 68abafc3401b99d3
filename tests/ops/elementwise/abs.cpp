#include <ebb/ops/elementwise/abs.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("abs: values and gradients", "[ops][abs]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.abs(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return abs(x); }, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {3.0, 1.2, 0.4, 0.3, 1.1, 2.5}, {-1.0, -1.0, -1.0, 1.0, 1.0, 1.0});
}

TEST_CASE("abs: the slope at zero is zero, and nan stays", "[ops][abs]") {
  const Tensor<double, 1> x({3}, {0, -0.0, NAN});
  const auto dx =
      test::gradient([](const auto& v) { return abs(v); }, x, Tensor<double, 1>::ones({3}));
  CHECK(dx(0) == 0);
  CHECK(dx(1) == 0);
  CHECK(std::isnan(abs(x)(2)));
}
