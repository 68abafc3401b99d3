#include <ebb/ops/elementwise/trigonometric.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("sin and cos: values and gradients", "[ops][trigonometric]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.sin(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return sin(x); }, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.1411200080598672, -0.9320390859672263, -0.3894183423086505,
                           0.29552020666133955, 0.8912073600614354, 0.5984721441039564},
                          {-0.9899924966004454, 0.3623577544766736, 0.9210609940028851,
                           0.955336489125606, 0.4535961214255773, -0.8011436155469337});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.cos(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return cos(x); }, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.9899924966004454, 0.3623577544766736, 0.9210609940028851,
                           0.955336489125606, 0.4535961214255773, -0.8011436155469337},
                          {0.1411200080598672, 0.9320390859672263, 0.3894183423086505,
                           -0.29552020666133955, -0.8912073600614354, -0.5984721441039564});
}
