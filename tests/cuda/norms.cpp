#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

template <class T, int N>
void check_layer_norm(double tolerance, const Shape<N>& shape, double low = -1, double high = 1) {
  const Index length = shape[N - 1];
  CHECK_ON_CUDA(
      tolerance, [](const auto& x, const auto& w, const auto& b) { return layer_norm(x, w, b); },
      test::random<T>(shape, 1, low, high), test::random<T>(Shape{length}, 2),
      test::random<T>(Shape{length}, 3));
}

template <class T, int N>
void check_group_norm(double tolerance, Index groups, const Shape<N>& shape) {
  CHECK_ON_CUDA(
      tolerance,
      [groups](const auto& x, const auto& w, const auto& b) { return group_norm(x, groups, w, b); },
      test::random<T>(shape, 1), test::random<T>(Shape{shape[1]}, 2),
      test::random<T>(Shape{shape[1]}, 3));
}

}  // namespace

TEST_CASE("cuda: layer_norm agrees with the CPU") {
  check_layer_norm<float>(near_float, Shape{5, 37});            // a warp a row
  check_layer_norm<float>(near_float, Shape{70, 300}, 49, 51);  // in packs, and far from zero
  check_layer_norm<float>(near_float, Shape{2, 1501});          // a block a row
  check_layer_norm<float>(near_float, Shape{2, 4100});          // several blocks
  check_layer_norm<double>(near_double, Shape{3, 2, 64});
}

TEST_CASE("cuda: group_norm agrees with the CPU") {
  check_group_norm<float>(near_float, 3, Shape{2, 6, 5, 3});
  check_group_norm<float>(near_float, 2, Shape{3, 4, 8, 8});
  check_group_norm<float>(near_float, 1, Shape{2, 3, 20, 20});  // a block a group
  check_group_norm<float>(near_float, 8, Shape{2, 8, 6, 6});    // a channel a group
  check_group_norm<double>(near_double, 3, Shape{3, 6, 4});
}

TEST_CASE("cuda: layer_norm and group_norm without weights, and with 64-bit indices") {
  CHECK_ON_CUDA(
      near_float, [](const auto& x) { return layer_norm(x, Shape{36}); },
      test::random<float>(Shape{5, 36}, 1));
  CHECK_ON_CUDA(
      near_float, [](const auto& x) { return group_norm(x, 2); },
      test::random<float>(Shape{2, 6, 4, 4}, 1));
  const test::WideIndices wide;
  check_layer_norm<float>(near_float, Shape{5, 36});
  check_layer_norm<float>(near_float, Shape{2, 1501});
  check_group_norm<float>(near_float, 3, Shape{2, 6, 5, 3});
}
