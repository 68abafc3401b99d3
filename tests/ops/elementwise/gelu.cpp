#include <ebb/ops/elementwise/gelu.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("gelu: values and gradients", "[ops][gelu]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.gelu(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(gelu, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.00404969409489031, -0.13808360426604993, -0.13783130335587032,
                           0.1853734266566858, 0.9507673329589791, 2.4844758366855597},
                          {-0.01194564720418392, -0.11795359575814726, 0.1972702022683465,
                           0.7323277668271099, 1.1039713337894228, 1.037611085908145});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.gelu(x, approximate='tanh'); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(gelu_tanh, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.0036373920817729943, -0.13829723086213508, -0.13783883057264382,
                           0.18537092354275922, 0.9505810461745109, 2.484915733910001},
                          {-0.011584166630969648, -0.11772613473311258, 0.19734116557943862,
                           0.7322954516388018, 1.1036594625691472, 1.037951576212666});
}

TEST_CASE("gelu: far from zero it is zero or the input", "[ops][gelu]") {
  const Tensor<float, 1> x({4}, {-1e4f, -40, 40, 1e4f});
  for (const auto& y : {gelu(x), gelu_tanh(x)})
    CHECK(y.values() == std::vector<float>{0, 0, 40, 1e4f});
}
