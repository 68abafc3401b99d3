#include <ebb/ops/elementwise/log.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("log: values and gradients", "[ops][log]") {
  // x = torch.tensor([0.05, 0.3, 0.9, 1.4, 2.5, 7], dtype=torch.float64, requires_grad=True)
  // y = x.log(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(
      [](const auto& x) { return log(x); }, {0.05, 0.3, 0.9, 1.4, 2.5, 7.0},
      {-2.995732273553991, -1.2039728043259361, -0.10536051565782628, 0.3364722366212129,
       0.9162907318741551, 1.9459101490553132},
      {20.0, 3.3333333333333335, 1.1111111111111112, 0.7142857142857143, 0.4, 0.14285714285714285});
}

TEST_CASE("log: of zero and of a negative", "[ops][log]") {
  const auto y = log(Tensor<double, 1>({2}, {0, -1}));
  CHECK(y(0) == -INFINITY);
  CHECK(std::isnan(y(1)));
}
