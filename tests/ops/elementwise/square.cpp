#include <ebb/ops/elementwise/square.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("square: values and gradients", "[ops][square]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.square(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return square(x); },
                          {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {9.0, 1.44, 0.16000000000000003, 0.09, 1.2100000000000002, 6.25},
                          {-6.0, -2.4, -0.8, 0.6, 2.2, 5.0});
}
