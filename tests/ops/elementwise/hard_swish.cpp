#include <ebb/ops/elementwise/hard_swish.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("hard_swish: values and gradients", "[ops][hard_swish]") {
  // x = torch.tensor([-4, -1.2, 0.3, 1.1, 2.5, 5], dtype=torch.float64, requires_grad=True)
  // y = F.hardswish(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(
      hard_swish, {-4.0, -1.2, 0.3, 1.1, 2.5, 5.0},
      {0.0, -0.36000000000000004, 0.16499999999999998, 0.7516666666666666, 2.2916666666666665, 5.0},
      {0.0, 0.10000000000000003, 0.6, 0.8666666666666667, 1.3333333333333335, 1.0});
}

TEST_CASE("hard_swish: slopes at the kinks are PyTorch's, and nan passes through",
          "[ops][hard_swish]") {
  // x = torch.tensor([-3., 3., float('nan'), float('-inf')], requires_grad=True)
  // F.hardswish(x).sum().backward() -> 0, 1, 1, 0; the value of -inf is nan
  const Tensor<double, 1> x({4}, {-3, 3, std::nan(""), -INFINITY});
  const auto dx = test::gradient(hard_swish, x, Tensor<double, 1>::ones({4}));
  CHECK(dx.values() == std::vector<double>{0, 1, 1, 0});
  CHECK(std::isnan(hard_swish(x)(2)));
  CHECK(std::isnan(hard_swish(x)(3)));
}
