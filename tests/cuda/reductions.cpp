#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

template <class T, class F>
void check_axes(double tolerance, F f) {
  const auto x = test::random<T>(Shape{3, 5, 2, 7}, 1, 0, 1);
  CHECK_ON_CUDA(
      tolerance, [&](const auto& v) { return f(v); }, x);
  CHECK_ON_CUDA(
      tolerance, [&](const auto& v) { return f(v, 0); }, x);
  CHECK_ON_CUDA(
      tolerance, [&](const auto& v) { return f(v, 1); }, x);
  CHECK_ON_CUDA(
      tolerance, [&](const auto& v) { return f(v, -1); }, x);
  CHECK_ON_CUDA(
      tolerance,
      [&](const auto& v) {
        return f(v, Axes{0, 2, 3});
      },
      x);
  CHECK_ON_CUDA(
      tolerance,
      [&](const auto& v) {
        return f(v, Axes{1, 3}, keep_axis);
      },
      x);
}

/// Rows and columns, short and long, and such that are cut in parts.
template <class F>
void check_sizes(F f) {
  for (const Shape<2> shape : {Shape{1, 1}, Shape{3, 40}, Shape{2, 1100}, Shape{1, 9001},
                               Shape{70, 3}, Shape{300, 33}, Shape{2, 5000}}) {
    const auto x = test::random<float>(shape, 2, 0, 1);
    CHECK_ON_CUDA(
        near_float, [&](const auto& v) { return f(v, 0); }, x);
    CHECK_ON_CUDA(
        near_float, [&](const auto& v) { return f(v, 1); }, x);
    CHECK_ON_CUDA(
        near_float, [&](const auto& v) { return f(v); }, x);
  }
}

const auto sum_of = [](const auto&... a) { return sum(a...); };
const auto mean_of = [](const auto&... a) { return mean(a...); };
const auto max_of = [](const auto&... a) { return max(a...); };
const auto min_of = [](const auto&... a) { return min(a...); };
const auto variance_of = [](const auto&... a) { return variance(a...); };

}  // namespace

TEST_CASE("cuda: sums agree with the CPU over any axes") {
  check_axes<float>(near_float, sum_of);
  check_axes<double>(near_double, sum_of);
  check_sizes(sum_of);
}

TEST_CASE("cuda: means agree with the CPU over any axes") {
  check_axes<float>(near_float, mean_of);
  check_axes<double>(near_double, mean_of);
}

TEST_CASE("cuda: extrema agree with the CPU over any axes, and share gradients among ties") {
  check_axes<float>(0, max_of);
  check_axes<double>(0, min_of);
  const auto ties = test::random<float>(Shape{4, 3}, 1, 0, 1);
  for (const Index i : {0, 1, 4, 7, 10}) ties.mutable_data()[i] = 2;
  ties.mutable_data()[5] = NAN;
  CHECK_ON_CUDA(
      near_float, [](const auto& v) { return max(v, 1); }, ties);
  CHECK_ON_CUDA(
      near_float, [](const auto& v) { return max(v, 0); }, ties);
  CHECK_ON_CUDA(
      near_float, [](const auto& v) { return min(v); }, ties);
}

TEST_CASE("cuda: variances agree with the CPU over any axes") {
  check_axes<float>(near_float, variance_of);
  check_axes<double>(near_double, variance_of);
  CHECK_ON_CUDA(
      near_float, [](const auto& v) { return variance(v + 10, 1); },
      test::random<float>(Shape{2, 5000}, 3));
}

TEST_CASE("cuda: argmax finds the first of equals, and the first nan") {
  auto x = test::random<float>(Shape{5, 6, 40}, 4);
  for (Index i = 0; i < x.size(); i += 7) x.mutable_data()[i] = 1;
  x.mutable_data()[100] = x.mutable_data()[120] = NAN;
  x.mutable_data()[700] = -INFINITY;
  for (const int axis : {0, 1, 2})
    CHECK_ON_CUDA(
        0, [axis](const auto& v) { return argmax(v, axis); }, x);
  const auto none = Tensor<float, 2>::full({3, 50}, -INFINITY);
  CHECK_ON_CUDA(
      0, [](const auto& v) { return argmax(v, 1); }, none);
  CHECK_ON_CUDA(
      0, [](const auto& v) { return argmax(v, 1); }, test::random<double>(Shape{2, 2000}, 5));
}

TEST_CASE("cuda: sums of nothing are zero, and of none there are none") {
  CHECK_ON_CUDA(
      0, [](const auto& v) { return sum(v, 1); }, Tensor<float, 2>(Shape{3, 0}));
  CHECK_ON_CUDA(
      0, [](const auto& v) { return sum(v, 0); }, Tensor<float, 2>(Shape{0, 40}));
  CHECK_ON_CUDA(
      0, [](const auto& v) { return sum(v, 1); }, Tensor<float, 2>(Shape{0, 3}));
}

TEST_CASE("cuda: reductions with 64-bit indices give the same bits") {
  const auto x = test::random<float>(Shape{3, 5, 2, 7}, 1);
  const auto f = [](const auto& v) { return sum(v, Axes{0, 2}); };
  const auto with_short = test::outcome<Cuda>(f, x);
  gpu::short_indices = 10;
  const auto with_long = test::outcome<Cuda>(f, x);
  gpu::short_indices = std::numeric_limits<int>::max();
  CHECK(with_short == with_long);
}

TEST_CASE("cuda: a long sum of floats keeps its digits") {
  const auto x = test::random<float>(Shape{60000}, 6, 0, 1);
  double exact = 0;
  for (const float v : x.values()) exact += static_cast<double>(v);
  CHECK(std::abs(static_cast<double>(sum(to<Cuda>(x)).item()) / exact - 1) < 1e-6);
}
