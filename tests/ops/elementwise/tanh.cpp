#include <ebb/ops/elementwise/tanh.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("tanh: values and gradients", "[ops][tanh]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.tanh(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise([](const auto& x) { return tanh(x); }, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.9950547536867305, -0.8336546070121552, -0.3799489622552249,
                           0.2913126124515909, 0.8004990217606297, 0.9866142981514303},
                          {0.009866037165440166, 0.30501999620740905, 0.8556387860811777,
                           0.9151369618266292, 0.3592013161602749, 0.02659222668316057});

  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = x.tanh(); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(Tanh{}, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.9950547536867305, -0.8336546070121552, -0.3799489622552249,
                           0.2913126124515909, 0.8004990217606297, 0.9866142981514303},
                          {0.009866037165440166, 0.30501999620740905, 0.8556387860811777,
                           0.9151369618266292, 0.3592013161602749, 0.02659222668316057});
}
