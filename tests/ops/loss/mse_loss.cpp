#include <ebb/ops/loss/huber_loss.hpp>
#include <ebb/ops/loss/mse_loss.hpp>
#include <ebb/ops/reduce/variance.hpp>

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

TEST_CASE("losses of large differences: the gradient is finite wherever PyTorch's is",
          "[ops][loss]") {
  const Tensor<float, 1> x({4}, {2.5e38f, -3e38f, 1e38f, 3.0f}), t({4}, {0, 1e30f, -2e38f, 1.0f});
  const auto check = [&](const auto& loss, const std::vector<double>& dx,
                         const std::vector<double>& dt) {
    Tape tape;
    const auto vx = tape.watch(x), vt = tape.watch(t);
    backward(loss(vx, vt));
    CHECK(test::difference(vx.grad(), dx) < 1e-6);
    CHECK(test::difference(vt.grad(), dt) < 1e-6);
  };
  // y = F.mse_loss(x, t); y.backward(); print(x.grad.tolist(), t.grad.tolist())
  check(mse_loss, {1.2500000360947476e+38, -1.5000000027488779e+38, 1.5000000027488779e+38, 1.0},
        {-1.2500000360947476e+38, 1.5000000027488779e+38, -1.5000000027488779e+38, -1.0});
  // F.huber_loss(x, t, delta=3e38)
  check(HuberLoss(3e38),
        {6.250000180473738e+37, -7.500000013744389e+37, 7.500000013744389e+37, 0.5},
        {-6.250000180473738e+37, 7.500000013744389e+37, -7.500000013744389e+37, -0.5});

  // torch.var(x).backward()
  Tape tape;
  const auto v = tape.watch(x);
  backward(variance(v));
  CHECK(test::difference(v.grad(), std::vector<double>{1.5833333e+38, -2.0833333e+38, 5.8333333e+37,
                                                       -8.333333e+36}) < 1e-6);
}
