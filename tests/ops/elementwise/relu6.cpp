#include <ebb/ops/elementwise/relu6.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("relu6: values and gradients", "[ops][relu6]") {
  // x = torch.tensor([-3, -1.2, 0.3, 1.1, 2.5, 7], dtype=torch.float64, requires_grad=True)
  // y = F.relu6(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(relu6, {-3.0, -1.2, 0.3, 1.1, 2.5, 7.0}, {0.0, 0.0, 0.3, 1.1, 2.5, 6.0},
                          {0.0, 0.0, 1.0, 1.0, 1.0, 0.0});
}

TEST_CASE("relu6: slopes at the kinks are zero, and nan passes through", "[ops][relu6]") {
  const Tensor<double, 1> x({3}, {0, 6, std::nan("")});
  const auto dx = test::gradient(relu6, x, Tensor<double, 1>::ones({3}));
  CHECK(dx(0) == 0);
  CHECK(dx(1) == 0);
  CHECK(dx(2) == 1);
  CHECK(std::isnan(relu6(x)(2)));
}
