#include <ebb/device/cpu/vectorize.hpp>
#include <ebb/device/math.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/kernels.hpp"

namespace {

using namespace ebb;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// The distance of `got` from the exact result in units of the last place of the exact one; a unit
/// is never below the smallest denormal number.
double ulps(float got, double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(got) && std::isnan(exact)) return 0;
  if (got == rounded) return 0;  // infinities too
  if (!std::isfinite(got) || !std::isfinite(rounded)) return 1e30;
  const double unit = rounded == 0 ? 0 : std::ldexp(1.0, std::ilogb(rounded) - 23);
  return std::abs(static_cast<double>(got) - exact) / std::max(unit, std::ldexp(1.0, -149));
}

/// The worst error of f over every `stride`-th float within [low, high], nans among them, evaluated
/// in loops as kernels have them.
template <class F, class G>
double worst_error(bool wide, F f, G exact, float low = -infinity, float high = infinity) {
  constexpr std::uint64_t stride = 9973, all = std::uint64_t{1} << 32;
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < all; bits += stride) {
    const float v = math::detail::of_bits(static_cast<std::uint32_t>(bits));
    if (!(v < low) && !(v > high)) x.push_back(v);
  }
  for (const float v : {0.0f, -0.0f, 1.0f, -1.0f, infinity, -infinity})
    if (v >= low && v <= high) x.push_back(v);
  std::vector<float> y(x.size());
  auto loop = [f, from = x.data(), to = y.data()](Index count) {
    EBB_SIMD
    for (Index i = 0; i < count; ++i) to[i] = f(from[i]);
  };
  kernel::simd::copy_for<decltype(loop)>(wide)(&loop, static_cast<Index>(x.size()));
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, ulps(y[i], exact(static_cast<double>(x[i]))));
  return worst;
}

}  // namespace

TEST_CASE("elementary functions in float are right to the digits they promise") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    const bool wide = kernel::simd::wide_loops();
    CHECK(worst_error(
              wide, [](float x) { return math::exp_or_zero(x); },
              [](double x) { return x < -87.0 ? 0.0 : std::exp(x); }, -infinity, 88) < 2);
    CHECK(worst_error(
              wide, [](float x) { return math::exp(x); }, [](double x) { return std::exp(x); }) <
          1);
    CHECK(worst_error(
              wide, [](float x) { return math::expm1(x); },
              [](double x) { return std::expm1(x); }) < 2);
    CHECK(worst_error(
              wide, [](float x) { return math::log(x); }, [](double x) { return std::log(x); }) <
          1);
    CHECK(worst_error(
              wide, [](float x) { return math::log1p(x); }, [](double x) { return std::log1p(x); },
              0, 1) < 2);
    CHECK(worst_error(
              wide, [](float x) { return math::tanh(x); }, [](double x) { return std::tanh(x); }) <
          3);
    CHECK(worst_error(
              wide, [](float x) { return math::sqrt(x); }, [](double x) { return std::sqrt(x); }) <
          1);
    CHECK(worst_error(
              wide, [](float x) { return math::normal_cdf(x); },
              [](double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }, -13) < 9);
    CHECK(worst_error(
              wide, [](float x) { return math::exp_of_minus_half_square(x); },
              [](double x) { return std::exp(-0.5 * x * x); }, -14, 14) < 2);
    CHECK(worst_error(
              wide, [](float x) { return math::exp_of_sum(x, 0.25f * 6e-8f * x); },
              [](double x) { return std::exp(x + static_cast<double>(0.25f * 6e-8f) * x); }, -120,
              100) < 2);
  });
}

TEST_CASE("elementary functions of other scalars are those of std") {
  for (const double x : {0.0, 0.3, 1.0, 7.5}) {
    CHECK(math::exp(x) == std::exp(x));
    CHECK(math::log(x) == std::log(x));
    CHECK(math::tanh(x) == std::tanh(x));
    CHECK(math::sqrt(x) == std::sqrt(x));
  }
}

TEST_CASE("select takes the bits of either side") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(math::select(true, nan, 1.0f)));
  CHECK(math::select(false, nan, 1.0f) == 1.0f);
  CHECK(std::signbit(math::select(true, -0.0f, 1.0f)));
  CHECK(math::select(true, -7, 9) == -7);
  CHECK(math::select(false, -7, 9) == 9);
}
