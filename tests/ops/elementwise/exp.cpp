#include <ebb/ops/elementwise/exp.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("exp: values and gradients", "[ops][exp]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.exp(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return exp(x); }, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.049787068367863944, 0.30119421191220214, 0.6703200460356392,
                           1.3498588075760032, 3.0041660239464334, 12.182493960703473},
                          {0.049787068367863944, 0.30119421191220214, 0.6703200460356392,
                           1.3498588075760032, 3.0041660239464334, 12.182493960703473});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.exp(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(Exp{}, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.049787068367863944, 0.30119421191220214, 0.6703200460356392,
                           1.3498588075760032, 3.0041660239464334, 12.182493960703473},
                          {0.049787068367863944, 0.30119421191220214, 0.6703200460356392,
                           1.3498588075760032, 3.0041660239464334, 12.182493960703473});
}
