#include <ebb/ops/elementwise/relu.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("relu: values and gradients", "[ops][relu]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.relu(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(relu, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5}, {0.0, 0.0, 0.0, 0.3, 1.1, 2.5},
                          {0.0, 0.0, 0.0, 1.0, 1.0, 1.0});
}

TEST_CASE("relu: the slope at zero is zero, and nan passes through", "[ops][relu]") {
  const Tensor<double, 1> x({2}, {0, NAN});
  CHECK(test::gradient(relu, x, Tensor<double, 1>::ones({2}))(0) == 0);
  CHECK(std::isnan(relu(x)(1)));
}

TEST_CASE("relu: a parameter is an operand, and its gradient adds up", "[ops][relu]") {
  const Param<Tensor<double, 1>> p(Tensor<double, 1>({3}, {-1, 2, 3}));
  for (int pass = 1; pass <= 2; ++pass) {
    Tape tape;
    backward(sum(relu(tape.watch(p))));
    CHECK(p.grad().values() == std::vector<double>{0, 1.0 * pass, 1.0 * pass});
  }
}
