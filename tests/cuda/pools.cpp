#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

template <class X>
void check_max(const MaxPool2dOptions& options, const X& x) {
  CHECK_ON_CUDA(
      1e-6, [options](const auto& v) { return max_pool2d(v, options); }, x);
}
template <class X>
void check_avg(double tolerance, const AvgPool2dOptions& options, const X& x) {
  CHECK_ON_CUDA(
      tolerance, [options](const auto& v) { return avg_pool2d(v, options); }, x);
}
template <class T>
void check_adaptive(double tolerance, const Shape<4>& shape, Size2 size) {
  CHECK_ON_CUDA(
      tolerance, [size](const auto& v) { return adaptive_avg_pool2d(v, size); },
      test::random<T>(shape, 1));
}

/// Whole numbers of a small range: many are equal, and the first of them must win.
Tensor<float, 4> ties(const Shape<4>& shape) {
  auto x = test::random<float>(shape, 3, -2, 2);
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = std::floor(x.data()[i]);
  return x;
}

}  // namespace

TEST_CASE("cuda: max_pool2d agrees with the CPU") {
  check_max({}, ties({2, 3, 6, 8}));
  check_max({}, ties({2, 3, 7, 5}));  // a row and a column are in no window
  check_max({.kernel = 3, .stride = 2, .padding = 1}, ties({2, 2, 9, 8}));
  check_max({.kernel = 3, .stride = 1, .padding = 1}, ties({1, 2, 5, 6}));
  check_max({.kernel = {2, 3}, .stride = {3, 1}, .padding = {1, 0}}, ties({1, 2, 7, 8}));
  check_max({.kernel = 3, .stride = 2, .padding = 1, .dilation = 2}, ties({1, 2, 9, 11}));
  check_max({.kernel = 3, .stride = 2, .ceil_mode = true}, ties({1, 2, 6, 8}));
  check_max({.kernel = 2, .stride = 3}, ties({1, 2, 9, 8}));  // gaps between windows
  check_max({.kernel = 1}, ties({1, 1, 1, 1}));
  check_max({.kernel = 3, .stride = 1}, test::random<double>(Shape{1, 2, 5, 6}, 1));
  auto x = ties({1, 2, 6, 6});
  x.mutable_data()[7] = NAN;
  x.mutable_data()[20] = -INFINITY;
  for (Index i = 36; i < 72; ++i) x.mutable_data()[i] = -INFINITY;
  check_max({}, x);
  check_max({.kernel = 3, .stride = 2, .padding = 1}, x);
}

TEST_CASE("cuda: avg_pool2d agrees with the CPU") {
  const auto x = [](const Shape<4>& shape) { return test::random<float>(shape, 1); };
  check_avg(near_float, {}, x({2, 3, 6, 8}));
  check_avg(near_float, {}, x({2, 3, 7, 5}));
  check_avg(near_float, {.kernel = 3, .stride = 2, .padding = 1}, x({2, 2, 9, 8}));
  check_avg(near_float, {.kernel = 3, .stride = 1, .padding = 1, .count_include_pad = false},
            x({1, 2, 5, 6}));
  check_avg(near_float, {.kernel = {4, 5}, .stride = {3, 2}, .padding = {2, 1}}, x({1, 2, 9, 8}));
  check_avg(near_float, {.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true},
            x({1, 2, 6, 8}));
  check_avg(near_float, {.kernel = 2, .divisor_override = 3}, x({1, 2, 4, 6}));
  check_avg(near_float, {.kernel = 2, .stride = 3}, x({1, 2, 9, 8}));
  check_avg(near_double, {.kernel = 3, .stride = 2}, test::random<double>(Shape{1, 2, 7, 9}, 1));
}

TEST_CASE("cuda: adaptive and global average pooling agree with the CPU") {
  check_adaptive<float>(near_float, {2, 3, 7, 9}, {3, 4});    // a thread a window
  check_adaptive<float>(near_float, {2, 2, 17, 30}, {3, 2});  // a warp a window
  check_adaptive<float>(near_float, {1, 2, 3, 2}, {5, 7});    // more windows than elements
  check_adaptive<float>(near_float, {3, 5, 7, 7}, 1);         // whole planes
  check_adaptive<float>(near_float, {1, 2, 40, 60}, 1);       // a block each,
  check_adaptive<float>(near_float, {1, 1, 90, 90}, 1);       // several
  check_adaptive<double>(near_double, {2, 3, 6, 8}, {4, 3});
  CHECK_ON_CUDA(near_float, global_avg_pool2d, test::random<float>(Shape{2, 3, 4, 4}, 1));
}

TEST_CASE("cuda: pooling with 64-bit indices") {
  const test::WideIndices wide;
  check_max({.kernel = 3, .stride = 2, .padding = 1}, ties({2, 2, 9, 8}));
  check_avg(near_float, {.kernel = 3, .stride = 2, .padding = 1},
            test::random<float>(Shape{2, 2, 9, 8}, 1));
  check_adaptive<float>(near_float, {2, 3, 7, 9}, {3, 4});
  check_adaptive<float>(near_float, {2, 2, 17, 30}, {3, 2});
}
