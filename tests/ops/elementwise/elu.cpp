#include <ebb/ops/elementwise/elu.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("elu: values and gradients", "[ops][elu]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.elu(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(
      elu, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
      {-0.950212931632136, -0.6988057880877978, -0.3296799539643607, 0.3, 1.1, 2.5},
      {0.049787068367863944, 0.30119421191220214, 0.6703200460356393, 1.0, 1.0, 1.0});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.elu(x, 0.5); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(
      [](const auto& x) { return elu(x, 0.5); }, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
      {-0.475106465816068, -0.3494028940438989, -0.16483997698218034, 0.3, 1.1, 2.5},
      {0.024893534183931972, 0.15059710595610107, 0.33516002301781966, 1.0, 1.0, 1.0});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.elu(x, 0.7); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(
      Elu(0.7), {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
      {-0.6651490521424952, -0.48916405166145843, -0.23077596777505247, 0.3, 1.1, 2.5},
      {0.03485094785750476, 0.2108359483385415, 0.4692240322249475, 1.0, 1.0, 1.0});
}
