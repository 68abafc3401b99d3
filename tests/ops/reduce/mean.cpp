#include <ebb/ops/reduce/mean.hpp>

#include "tests/support/reductions.hpp"

using namespace ebb;

namespace {
constexpr auto reduce_mean = [](const auto&... arguments) { return mean(arguments...); };
}

TEST_CASE("mean: over everything, over axes, kept or not", "[ops][reduce]") {
  const Tensor<float, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(mean(x).item() == 3.5f);
  CHECK(mean(x, 0).values() == std::vector<float>{2.5, 3.5, 4.5});
  CHECK(mean(x, 1, keep_axis).values() == std::vector<float>{2, 5});
  test::check_reduction(reduce_mean, [](const auto& group) {
    long double total = 0;
    for (auto v : group) total += static_cast<long double>(v);
    return static_cast<double>(total / static_cast<long double>(group.size()));
  });
}

TEST_CASE("mean: errors", "[ops][reduce]") {
  test::check_axis_errors("mean", reduce_mean);
  // The mean of nothing is not a number: torch.zeros(0, 3).mean(), .mean(0).
  const Tensor<float, 2> none(Shape{0, 3});
  CHECK(std::isnan(mean(none).item()));
  CHECK(mean(none, 0).shape() == Shape{3});
  CHECK(std::isnan(mean(none, 0)(2)));
  CHECK(mean(none, 1).shape() == Shape{0});
}
