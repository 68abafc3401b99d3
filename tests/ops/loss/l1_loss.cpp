#include <ebb/ops/loss/l1_loss.hpp>

#include "tests/support/losses.hpp"

using namespace ebb;

TEST_CASE("l1_loss: values, gradients, errors", "[ops][loss]") {
  // x = ramp(2, 3).requires_grad_()
  // t = (ramp(2, 3).flatten().flip(0).reshape(2, 3) / 2 + 0.3).requires_grad_()
  // y = F.l1_loss(x, t); y.backward(); print(y.item(), x.grad.tolist(), t.grad.tolist())
  test::check_pointwise_loss("l1_loss", l1_loss,
                             {0.7250000000000001,
                              {-0.16666666666666666, 0.16666666666666666, -0.16666666666666666,
                               0.16666666666666666, -0.16666666666666666, -0.16666666666666666},
                              {0.16666666666666666, -0.16666666666666666, 0.16666666666666666,
                               -0.16666666666666666, 0.16666666666666666, 0.16666666666666666}});
}

TEST_CASE("l1_loss: no slope where input and target agree", "[ops][loss]") {
  Tape tape;
  const auto x = tape.watch(Tensor<double, 1>({3}, {1, 2, 3}));
  backward(l1_loss(x, Tensor<double, 1>({3}, {1, 5, -5}), Reduction::sum));
  CHECK(x.grad().values() == std::vector<double>{0, -1, 1});
}
