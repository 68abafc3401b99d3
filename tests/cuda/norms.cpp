#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

TEST_CASE("cuda: layer_norm agrees with the CPU") {
  const auto f = [](const auto& x, const auto& w, const auto& b) { return layer_norm(x, w, b); };
  CHECK_ON_CUDA(near_float, f, test::random<float>(Shape{5, 37}, 1),
                test::random<float>(Shape{37}, 2), test::random<float>(Shape{37}, 3));
  CHECK_ON_CUDA(near_double, f, test::random<double>(Shape{3, 2, 64}, 1),
                test::random<double>(Shape{64}, 2), test::random<double>(Shape{64}, 3));
}

TEST_CASE("cuda: group_norm agrees with the CPU") {
  const auto f = [](const auto& x, const auto& w, const auto& b) {
    return group_norm(x, 3, w, b);
  };
  CHECK_ON_CUDA(near_float, f, test::random<float>(Shape{2, 6, 5, 3}, 1),
                test::random<float>(Shape{6}, 2), test::random<float>(Shape{6}, 3));
  CHECK_ON_CUDA(near_double, f, test::random<double>(Shape{3, 6, 4}, 1),
                test::random<double>(Shape{6}, 2), test::random<double>(Shape{6}, 3));
}
