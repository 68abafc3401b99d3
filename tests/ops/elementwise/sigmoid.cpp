#include <ebb/ops/elementwise/sigmoid.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("sigmoid: values and gradients", "[ops][sigmoid]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.sigmoid(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(sigmoid, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.04742587317756678, 0.23147521650098238, 0.401312339887548,
                           0.574442516811659, 0.7502601055951177, 0.9241418199787566},
                          {0.04517665973091214, 0.1778944406468057, 0.24026074574152914,
                           0.24445831169074586, 0.18736987954752055, 0.07010371654510807});
}

TEST_CASE("sigmoid: far from zero nothing overflows, dual numbers included", "[ops][sigmoid]") {
  const Tensor<double, 1> x({4}, {-1e4, -700, 700, 1e4});
  const auto y = jvp(sigmoid, x, Tensor<double, 1>::ones({4}));
  CHECK(y.value(0) == 0);
  CHECK(y.value(1) == std::exp(-700.0));
  CHECK(y.value(2) == 1);
  CHECK(y.value(3) == 1);
  CHECK(y.tangent(0) == 0);
  CHECK(std::abs(y.tangent(1) / std::exp(-700.0) - 1) < 1e-12);
  CHECK(y.tangent(3) == 0);
}
