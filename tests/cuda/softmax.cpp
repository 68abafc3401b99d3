#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

/// Every way to share a line: short and long rows, and lines side by side.
template <class F>
void check_lines(F f) {
  const auto along = [&](int axis) { return [&f, axis](const auto& x) { return f(x, axis); }; };
  for (const Index n : {1, 10, 16, 17, 100, 300, 700, 5000})
    CHECK_ON_CUDA(near_float, along(-1), test::random<float>(Shape{3, n}, 1, -5, 5));
  CHECK_ON_CUDA(near_float, along(0), test::random<float>(Shape{20, 30}, 2, -5, 5));
  CHECK_ON_CUDA(near_float, along(1), test::random<float>(Shape{2, 32, 3, 5}, 3, -5, 5));
  CHECK_ON_CUDA(near_float, along(1), test::random<float>(Shape{2, 70, 3}, 4, -5, 5));
  CHECK_ON_CUDA(near_double, along(2), test::random<double>(Shape{2, 3, 40}, 5, -5, 5));
  CHECK_ON_CUDA(near_double, along(0), test::random<double>(Shape{40, 6}, 5, -5, 5));
  CHECK_ON_CUDA(near_double, along(0), test::random<double>(Shape{6000}, 5, -5, 5));
  CHECK_ON_CUDA(near_float, along(0), Tensor<float, 2>(Shape{0, 3}));
  CHECK_ON_CUDA(near_float, along(1), Tensor<float, 2>(Shape{0, 3}));
}

}  // namespace

TEST_CASE("cuda: softmax agrees with the CPU along any axis") {
  check_lines([](const auto& x, int axis) { return softmax(x, axis); });
}

TEST_CASE("cuda: log_softmax agrees with the CPU along any axis") {
  check_lines([](const auto& x, int axis) { return log_softmax(x, axis); });
}

TEST_CASE("cuda: softmax neither overflows nor forgets -infinity and nan") {
  for (const Index n : {4, 40, 600, 4100}) {
    auto x = test::random<float>(Shape{4, n}, 1, -500, 500);
    x.mutable_data()[1] = -INFINITY;
    x.mutable_data()[n + 2] = NAN;
    x.mutable_data()[2 * n] = 3e38f;
    CHECK_ON_CUDA(
        near_float, [](const auto& v) { return softmax(v); }, x);
    CHECK_ON_CUDA(
        near_float, [](const auto& v) { return log_softmax(v); }, x);
  }
}
