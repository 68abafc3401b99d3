#include <ebb/ops/elementwise/softplus.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("softplus: values and gradients", "[ops][softplus]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.softplus(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(softplus, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.04858735157374206, 0.26328246733803123, 0.5130152523999526,
                           0.8543552444685272, 1.3873353251154308, 2.5788897342925496},
                          {0.04742587317756679, 0.23147521650098238, 0.401312339887548,
                           0.574442516811659, 0.7502601055951176, 0.9241418199787564});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.softplus(x, 2.0); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return softplus(x, 2.0); },
                          {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.0012378425688652247, 0.04341807607697484, 0.18555033297388884,
                           0.5187439752429428, 1.152541659884348, 2.503357674244559},
                          {0.0024726231566347748, 0.08317269649392238, 0.31002551887238755,
                           0.6456563062257954, 0.9002495108803149, 0.9933071490757152});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.softplus(x, 2.0, 1.0); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return softplus(x, 2.0, 1.0); },
                          {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.0012378425688652247, 0.04341807607697484, 0.18555033297388884,
                           0.5187439752429428, 1.1, 2.5},
                          {0.0024726231566347748, 0.08317269649392238, 0.31002551887238755,
                           0.6456563062257954, 1.0, 1.0});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.softplus(x, 0.5); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(Softplus(0.5), {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {0.4028265559655048, 0.8749759009717712, 1.1962777387631836,
                           1.541914095579064, 2.0109849629266754, 3.003858162690746},
                          {0.18242552380635632, 0.3543436937742045, 0.4501660026875221,
                           0.5374298453437495, 0.6341355910108007, 0.7772998611746912});
}

TEST_CASE("softplus: far from zero nothing overflows", "[ops][softplus]") {
  const Tensor<double, 1> x({3}, {-700, 700, 1e4});
  const auto y = softplus(x, 1, 1e9);  // a threshold that never cuts in
  CHECK(std::abs(y(0) / std::exp(-700.0) - 1) < 1e-12);
  CHECK(y(1) == 700);
  CHECK(y(2) == 1e4);
}

TEST_CASE("softplus: beta must be positive", "[ops][softplus]") {
  CHECK(test::error_of<ValueError>([] { Softplus(-1); }) ==
        "softplus: beta must be positive, not -1");
  CHECK(test::contains(test::error_of<ValueError>([] { softplus(Tensor<float, 0>(1), 0); }),
                       "not 0"));
}
