#include <ebb/ops/elementwise/leaky_relu.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("leaky_relu: values and gradients", "[ops][leaky_relu]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.leaky_relu(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(leaky_relu, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.03, -0.012, -0.004, 0.3, 1.1, 2.5},
                          {0.01, 0.01, 0.01, 1.0, 1.0, 1.0});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.leaky_relu(x, 0.2); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return leaky_relu(x, 0.2); },
                          {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.6000000000000001, -0.24, -0.08000000000000002, 0.3, 1.1, 2.5},
                          {0.2, 0.2, 0.2, 1.0, 1.0, 1.0});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.leaky_relu(x, 0.3); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(LeakyRelu(0.3), {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.8999999999999999, -0.36, -0.12, 0.3, 1.1, 2.5},
                          {0.3, 0.3, 0.3, 1.0, 1.0, 1.0});
}

TEST_CASE("leaky_relu: the slope at zero is the small one", "[ops][leaky_relu]") {
  const Tensor<double, 1> x({1}, {0});
  CHECK(test::gradient(leaky_relu, x, Tensor<double, 1>::ones({1}))(0) == 0.01);
}
