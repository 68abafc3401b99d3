#include <ebb/metrics/precision_recall.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scikit-learn).
TEST_CASE("precision_recall: curve and average precision of scores with ties", "[metrics]") {
  std::vector<double> scores;
  std::vector<int> flags;
  for (int i = 0; i < 60; ++i) {
    flags.push_back(i * 7 % 10 < 4);
    scores.push_back(((i * 37 + 11) % 23 + 6 * flags.back()) / 29.0);
  }
  CHECK(metrics::average_precision(scores, flags) == Approx(0.6452691303794245).epsilon(1e-13));
  const auto curve = metrics::precision_recall_curve(scores, flags);
  REQUIRE(curve.threshold.size() == 27);
  double precision = 0, recall = 0, area = 0;
  for (std::size_t i = 0; i < 27; ++i) {
    precision += curve.precision[i];
    recall += curve.recall[i];
    if (i > 0) area += curve.precision[i] * (curve.recall[i] - curve.recall[i - 1]);
  }
  CHECK(precision == Approx(16.225894150573005).epsilon(1e-13));
  CHECK(recall == Approx(16.75).epsilon(1e-13));
  CHECK(area == Approx(0.6452691303794245).epsilon(1e-13));

  const auto interval = metrics::average_precision_bootstrap(scores, flags, {.seed = 3});
  CHECK(interval.value == Approx(0.6452691303794245).epsilon(1e-13));
  CHECK(interval.low < interval.value - 0.05);
  CHECK(interval.high > interval.value + 0.05);
  CHECK(interval.undefined == 0);
  CHECK(metrics::average_precision_bootstrap(scores, flags, {.seed = 3}).low == interval.low);
  CHECK(metrics::average_precision_bootstrap(scores, flags, {.seed = 4}).low != interval.low);
}

TEST_CASE("precision_recall: the ends, and what is not defined", "[metrics]") {
  const std::vector<double> scores{1, 2, 3, 4};
  CHECK(metrics::average_precision(scores, std::vector<int>{0, 0, 1, 1}) == 1);
  CHECK(metrics::average_precision(std::vector<double>{5, 5, 5, 5}, std::vector<int>{0, 1, 0, 0}) ==
        0.25);  // no information: the positives' share
  CHECK(metrics::average_precision(scores, std::vector<int>{1, 1, 1, 1}) == 1);
  CHECK_THROWS_WITH(metrics::average_precision(scores, std::vector<int>{0, 0, 0, 0}),
                    contains("none of 4 samples is positive"));
  CHECK_THROWS_WITH(metrics::precision_recall_curve(scores, std::vector<int>{1}),
                    contains("4 scores came with 1"));
  // With one positive among four, a third of the resamples lacks it: they are counted.
  const auto few = metrics::average_precision_bootstrap(scores, std::vector<int>{0, 0, 1, 0});
  CHECK(few.undefined > 200);
  CHECK(few.undefined < 450);
}
