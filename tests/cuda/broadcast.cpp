#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

/// Equal shapes, numbers, rows, columns, and both operands repeated.
template <class T, class F>
void check_shapes(double tolerance, F f) {
  const auto random = [](const auto& shape, std::uint64_t seed) {
    return test::random<T>(shape, seed, 0.3, 2);
  };
  CHECK_ON_CUDA(tolerance, f, random(Shape{3, 5, 7}, 1), random(Shape{3, 5, 7}, 2));
  CHECK_ON_CUDA(tolerance, f, random(Shape{3, 5, 7}, 1), random(Shape<0>{}, 2));
  CHECK_ON_CUDA(tolerance, f, random(Shape{1}, 1), random(Shape{6, 43}, 2));
  CHECK_ON_CUDA(tolerance, f, random(Shape{40, 9}, 1), random(Shape{9}, 2));
  CHECK_ON_CUDA(tolerance, f, random(Shape{3, 1, 5}, 1), random(Shape{4, 1}, 2));
  CHECK_ON_CUDA(tolerance, f, random(Shape<0>{}, 1), random(Shape<0>{}, 2));
}

template <class F>
void check_binary(F f) {
  check_shapes<float>(near_float, f);
  check_shapes<double>(near_double, f);
}

}  // namespace

TEST_CASE("cuda: sums, differences, products and quotients of tensors agree with the CPU") {
  check_binary([](const auto& a, const auto& b) { return a + b; });
  check_binary([](const auto& a, const auto& b) { return a - b; });
  check_binary([](const auto& a, const auto& b) { return a * b; });
  check_binary([](const auto& a, const auto& b) { return a / b; });
}

TEST_CASE("cuda: the larger, the smaller and powers of tensors agree with the CPU") {
  check_binary([](const auto& a, const auto& b) { return maximum(a, b); });
  check_binary([](const auto& a, const auto& b) { return minimum(a, b); });
  check_binary([](const auto& a, const auto& b) { return pow(a, b); });
  CHECK_ON_CUDA(
      near_float, [](const auto& a) { return maximum(a, 0.2); },
      test::random<float>(Shape{5, 7}, 1));
  CHECK_ON_CUDA(
      near_float, [](const auto& a) { return minimum(a, 0.2); },
      test::random<float>(Shape{5, 7}, 1));
}

TEST_CASE("cuda: the bias of images, of many ranks, and of nothing") {
  const auto add = [](const auto& a, const auto& b) { return a * b + b; };
  CHECK_ON_CUDA(near_float, add, test::random<float>(Shape{4, 6, 5, 8}, 1),
                test::random<float>(Shape{1, 6, 1, 1}, 2));
  CHECK_ON_CUDA(near_float, add, test::random<float>(Shape{2, 1, 3, 1, 2, 1}, 1),
                test::random<float>(Shape{1, 2, 1, 3, 1, 2}, 2));
  CHECK_ON_CUDA(near_float, add, test::random<float>(Shape{500, 10}, 1),
                test::random<float>(Shape{10}, 2));
  CHECK_ON_CUDA(near_float, add, Tensor<float, 2>(Shape{0, 3}), test::random<float>(Shape{3}, 2));
}
