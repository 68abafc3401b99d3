#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;

TEST_CASE("cuda: elementwise functions agree with the CPU") {
  const auto x = test::random<float>(Shape{3, 1001}, 1, -2.0, 2.0);
  CHECK_ON_CUDA(0.0, relu, x);
  CHECK_ON_CUDA(test::near_float, [](const auto& v) { return tanh(v); }, x);
}
