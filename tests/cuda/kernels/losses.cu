// Softmax and the losses.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

void use_softmax() {
  use([](const auto& x) { return softmax(x, 1); }, operand<2>());
  use([](const auto& x) { return log_softmax(x, 1); }, operand<2>());
}

void use_losses() {
  const auto labels = operand<1, int>();
  use([&](const auto& x) { return cross_entropy(x, labels); }, operand<2>());
  use([&](const auto& x) { return nll_loss(x, labels); }, operand<2>());
  use(mse_loss, operand<2>(), operand<2>());
  use([](const auto& x, const auto& t) { return bce_with_logits(x, t); }, operand<1>(),
      operand<1>());
}
