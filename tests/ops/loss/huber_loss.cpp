#include <ebb/ops/loss/huber_loss.hpp>

#include "tests/support/losses.hpp"

using namespace ebb;

TEST_CASE("huber_loss: values, gradients, errors", "[ops][loss]") {
  // x = ramp(2, 3).requires_grad_()
  // t = (ramp(2, 3).flatten().flip(0).reshape(2, 3) / 2 + 0.3).requires_grad_()
  // y = F.huber_loss(x, t); y.backward(); print(y.item(), x.grad.tolist(), t.grad.tolist())
  test::check_pointwise_loss("huber_loss", huber_loss,
                             {0.3758854166666667,
                              {-0.16666666666666666, 0.033333333333333326, -0.16666666666666666,
                               0.16666666666666666, -0.029166666666666674, -0.049999999999999996},
                              {0.16666666666666666, -0.033333333333333326, 0.16666666666666666,
                               -0.16666666666666666, 0.029166666666666674, 0.049999999999999996}});

  // x = ramp(2, 3).requires_grad_()
  // t = (ramp(2, 3).flatten().flip(0).reshape(2, 3) / 2 + 0.3).requires_grad_()
  // y = F.huber_loss(x, t, delta=0.35); y.backward(); print(y.item(), x.grad.tolist(),
  // t.grad.tolist())
  test::check_pointwise_loss(
      "huber_loss",
      [](const auto& x, const auto& t, Reduction r) { return huber_loss(x, t, 0.35, r); },
      {0.19713541666666665,
       {-0.05833333333333333, 0.033333333333333326, -0.05833333333333333, 0.05833333333333333,
        -0.029166666666666674, -0.049999999999999996},
       {0.05833333333333333, -0.033333333333333326, 0.05833333333333333, -0.05833333333333333,
        0.029166666666666674, 0.049999999999999996}});

  // x = ramp(2, 3).requires_grad_()
  // t = (ramp(2, 3).flatten().flip(0).reshape(2, 3) / 2 + 0.3).requires_grad_()
  // y = F.huber_loss(x, t, delta=2.5); y.backward(); print(y.item(), x.grad.tolist(),
  // t.grad.tolist())
  test::check_pointwise_loss("huber_loss", HuberLoss(2.5),
                             {0.39239583333333333,
                              {-0.175, 0.033333333333333326, -0.21666666666666667,
                               0.22083333333333333, -0.029166666666666674, -0.049999999999999996},
                              {0.175, -0.033333333333333326, 0.21666666666666667,
                               -0.22083333333333333, 0.029166666666666674, 0.049999999999999996}});
}

TEST_CASE("huber_loss: delta must be positive", "[ops][loss]") {
  CHECK(test::error_of<ValueError>([] { HuberLoss(0); }) ==
        "huber_loss: delta must be positive, not 0");
}
