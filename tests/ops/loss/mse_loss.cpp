#include <ebb/ops/loss/mse_loss.hpp>

#include "tests/support/losses.hpp"

using namespace ebb;

TEST_CASE("mse_loss: values, gradients, errors", "[ops][loss]") {
  // x = ramp(2, 3).requires_grad_()
  // t = (ramp(2, 3).flatten().flip(0).reshape(2, 3) / 2 + 0.3).requires_grad_()
  // y = F.mse_loss(x, t); y.backward(); print(y.item(), x.grad.tolist(), t.grad.tolist())
  test::check_pointwise_loss("mse_loss", mse_loss,
                             {0.7847916666666667,
                              {-0.35, 0.06666666666666665, -0.43333333333333335,
                               0.44166666666666665, -0.05833333333333335, -0.09999999999999999},
                              {0.35, -0.06666666666666665, 0.43333333333333335,
                               -0.44166666666666665, 0.05833333333333335, 0.09999999999999999}});
}
