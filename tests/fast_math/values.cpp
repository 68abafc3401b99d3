// Compiled with -ffast-math: what docs/numbers.md promises under it. This file asks nothing of nan
// in floating point itself, because the compiler answers as it likes.
#include <ebb/device/cpu/vectorize.hpp>
#include <ebb/device/math.hpp>
#include <ebb/ops/loss/bce_with_logits.hpp>
#include <ebb/ops/normalisation/log_softmax.hpp>
#include <ebb/ops/normalisation/softmax.hpp>
#include <ebb/ops/pooling/max_pool2d.hpp>
#include <ebb/ops/reduce/argmax.hpp>
#include <ebb/ops/reduce/max.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/kernels.hpp"

#if !defined(__FAST_MATH__)
#  error "this test is compiled with -ffast-math"
#endif

using namespace ebb;

namespace {

/// The worst error of f over every 9973rd float in [low, high], in units of the last place, by
/// loops as kernels have them.
template <class F, class G>
double worst_error(float low, float high, F f, G exact) {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 9973) {
    const auto word = static_cast<std::uint32_t>(bits);
    const std::uint32_t exponent = word >> 23 & 0xffu;
    if (exponent == 255 || exponent < 27) continue;  // below 2^-100 parts are denormal: zero, here
    const float v = math::detail::of_bits(word);
    if (low <= v && v <= high) x.push_back(v);
  }
  std::vector<float> y(x.size());
  auto loop = [f, from = x.data(), to = y.data()](Index count) {
    EBB_SIMD
    for (Index i = 0; i < count; ++i) to[i] = f(from[i]);
  };
  kernel::simd::copy_for<decltype(loop)>(kernel::simd::wide_loops())(&loop,
                                                                     static_cast<Index>(x.size()));
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double right = exact(static_cast<double>(x[i]));
    const double unit = std::ldexp(1.0, std::ilogb(right) - 23);
    worst = std::max(worst, std::abs(static_cast<double>(y[i]) - right) / unit);
  }
  return worst;
}

}  // namespace

TEST_CASE("-ffast-math: elementary functions are right") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    CHECK(worst_error(
              -87, 88.7f, [](float x) { return math::exp(x); },
              [](double x) { return std::exp(x); }) < 2);
    CHECK(worst_error(
              -87, 88, [](float x) { return math::exp_or_zero(x); },
              [](double x) { return std::exp(x); }) < 2);
    CHECK(worst_error(
              -87, 88.7f, [](float x) { return math::expm1(x); },
              [](double x) { return std::expm1(x); }) < 4);
    CHECK(worst_error(
              1e-37f, 1e38f, [](float x) { return math::log(x); },
              [](double x) { return std::log(x); }) < 2);
    CHECK(worst_error(
              1e-37f, 1, [](float x) { return math::log1p(x); },
              [](double x) { return std::log1p(x); }) < 4);
    CHECK(worst_error(
              -1e30f, 1e30f, [](float x) { return math::tanh(x); },
              [](double x) { return std::tanh(x); }) < 6);
    CHECK(worst_error(
              1e-37f, 1e38f, [](float x) { return math::sqrt(x); },
              [](double x) { return std::sqrt(x); }) < 4);
    CHECK(worst_error(
              -12, 1e30f, [](float x) { return math::normal_cdf(x); },
              [](double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }) < 12);
  });
}

TEST_CASE("-ffast-math: softmax and losses are right") {
  // torch.softmax(torch.tensor([0., 1, 2]), 0), torch.log_softmax(...)
  const Tensor<float, 2> steps({1, 3}, {0, 1, 2});
  CHECK(test::difference(softmax(steps, 1), {0.09003057, 0.24472848, 0.66524094}) < 2e-7);
  CHECK(test::difference(log_softmax(steps, 1), {-2.4076059, -1.4076059, -0.40760595}) < 4e-7);
  // F.softplus(torch.tensor(-50., dtype=torch.float64))
  const Tensor<float, 1> x({1}, {-50}), t({1}, {0});
  CHECK(bce_with_logits(x, t).item() == Approx(1.9287498479639178e-22).epsilon(1e-6));
}

TEST_CASE("-ffast-math: nan and infinity are known by their bits") {
  const float nan = math::detail::of_bits(0x7fc00000u), inf = math::detail::of_bits(0x7f800000u);
  CHECK(math::is_nan(nan));
  CHECK_FALSE(math::is_nan(inf));
  CHECK(math::is_infinite(-inf));
  CHECK_FALSE(math::is_infinite(1.0f));
  CHECK_FALSE(math::is_finite(nan));
  CHECK_FALSE(math::is_finite(-inf));
  CHECK(math::is_finite(std::numeric_limits<float>::max()));
  CHECK(math::is_nan(std::bit_cast<double>(0x7ff8000000000000u)));
  CHECK_FALSE(math::is_finite(std::bit_cast<double>(0xfff0000000000000u)));
  // What the numbers give without the flag (tests/ops/not_a_number.cpp):
  const Tensor<float, 2> x({2, 4}, {1, nan, -2, 0.5f, 3, 0, -1, 2});
  CHECK(argmax(x, 1).values() == std::vector<int>{1, 0});
  CHECK(math::is_nan(max(x, 1)(0)));
  CHECK(max(x, 1)(1) == 3);
  CHECK(math::is_nan(max_pool2d(x.reshape(Shape{1, 1, 2, 4}), 2)(0, 0, 0, 0)));
}
