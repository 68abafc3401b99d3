// Normalisation by batch, layer and group.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

void use_norms() {
  const auto mean = operand<1>(), variance = operand<1>();
  use([&](const auto& x, const auto& w,
          const auto& b) { return batch_norm(x, mean, variance, w, b, BatchNormOptions{true}); },
      operand<4>(), operand<1>(), operand<1>());
  use([](const auto& x, const auto& w, const auto& b) { return layer_norm(x, w, b); }, operand<2>(),
      operand<1>(), operand<1>());
  use([](const auto& x, const auto& w, const auto& b) { return group_norm(x, 3, w, b); },
      operand<4>(), operand<1>(), operand<1>());
}
