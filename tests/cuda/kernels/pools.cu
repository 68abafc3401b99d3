// Pooling.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

void use_pools() {
  use([](const auto& x) { return max_pool2d(x, 2); }, operand<4>());
  use([](const auto& x) { return avg_pool2d(x, 2); }, operand<4>());
  use([](const auto& x) { return adaptive_avg_pool2d(x, 3); }, operand<4>());
}
