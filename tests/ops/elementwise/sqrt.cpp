#include <ebb/ops/elementwise/sqrt.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("sqrt: values and gradients", "[ops][sqrt]") {
  // x = torch.tensor([0.05, 0.3, 0.9, 1.4, 2.5, 7], dtype=torch.float64, requires_grad=True)
  // y = x.sqrt(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return sqrt(x); }, {0.05, 0.3, 0.9, 1.4, 2.5, 7.0},
                          {0.22360679774997896, 0.5477225575051661, 0.9486832980505138,
                           1.1832159566199232, 1.5811388300841898, 2.6457513110645907},
                          {2.23606797749979, 0.9128709291752769, 0.5270462766947299,
                           0.4225771273642583, 0.31622776601683794, 0.1889822365046136});
}

TEST_CASE("sqrt: the slope at zero is infinite", "[ops][sqrt]") {
  const auto f = [](const auto& v) { return sqrt(v); };
  CHECK(test::gradient(f, Tensor<double, 1>({1}, {0}), Tensor<double, 1>::ones({1}))(0) ==
        INFINITY);
}
