#include <ebb/metrics/bootstrap.hpp>

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_CASE("bootstrap: the interval of a mean is about that of the normal distribution",
          "[metrics]") {
  std::vector<double> x;
  double mean = 0, square = 0;
  for (int i = 0; i < 400; ++i) {
    x.push_back(RandomStream{1, 0}.normal<double>(static_cast<std::uint64_t>(i)));
    mean += x.back() / 400;
    square += x.back() * x.back() / 400;
  }
  const auto figure = [&](std::span<const Index> which) {
    double sum = 0;
    for (const Index i : which) sum += x[static_cast<std::size_t>(i)];
    return sum / static_cast<double>(which.size());
  };
  const double half = 1.959964 * std::sqrt((square - mean * mean) / 400);
  const auto found = metrics::bootstrap(400, figure, {.seed = 9, .resamples = 4000});
  CHECK(found.value == Approx(mean).epsilon(1e-12));
  CHECK(found.low == Approx(mean - half).margin(0.1 * half));
  CHECK(found.high == Approx(mean + half).margin(0.1 * half));
  const auto again = metrics::bootstrap(400, figure, {.seed = 9, .resamples = 4000});
  CHECK(again.low == found.low);
  CHECK(again.high == found.high);
  CHECK(metrics::bootstrap(400, figure, {.seed = 8, .resamples = 4000}).low != found.low);
}

TEST_CASE("bootstrap: quantiles are numpy's", "[metrics]") {
  const std::vector<double> x{1, 2, 4, 8};  // np.percentile(x, [0, 40, 95, 100])
  CHECK(metrics::detail::quantile_of_sorted(x, 0) == 1);
  CHECK(metrics::detail::quantile_of_sorted(x, 0.4) == Approx(2.4).epsilon(1e-14));
  CHECK(metrics::detail::quantile_of_sorted(x, 0.95) == Approx(7.4).epsilon(1e-14));
  CHECK(metrics::detail::quantile_of_sorted(x, 1) == 8);
}

TEST_CASE("bootstrap: what is not defined is said", "[metrics]") {
  const auto never = [](std::span<const Index>) { return std::nan(""); };
  int calls = 0;
  const auto once = [&](std::span<const Index>) { return calls++ == 0 ? 1.0 : std::nan(""); };
  CHECK_THROWS_WITH(metrics::bootstrap(0, never), contains("0 samples"));
  CHECK_THROWS_WITH(metrics::bootstrap(5, never), contains("not a number"));
  CHECK_THROWS_WITH(metrics::bootstrap(5, once, {.resamples = 20}),
                    contains("not defined for 20 of 20"));
}
