#include <ebb/metrics/operating_point.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scikit-learn, and DeLong's definition written out).

namespace {

constexpr int n = 60, classes = 4;

struct Sample {
  std::vector<double> scores;
  std::vector<int> flags;
  Sample() {
    for (int i = 0; i < n; ++i) {
      flags.push_back(i * 7 % 10 < 4);
      scores.push_back(((i * 37 + 11) % 23 + 6 * flags.back()) / 29.0);
    }
  }
};

}  // namespace

TEST_CASE("roc: area, curve and DeLong's interval of scores with ties", "[metrics]") {
  const Sample s;
  CHECK(metrics::auc(s.scores, s.flags) == Approx(0.7094907407407407).epsilon(1e-13));
  const auto interval = metrics::auc_delong(s.scores, s.flags);
  CHECK(interval.value == Approx(0.7094907407407407).epsilon(1e-13));
  CHECK(interval.low == Approx(0.5798344851900368).epsilon(1e-12));
  CHECK(interval.high == Approx(0.8391469962914446).epsilon(1e-12));
  CHECK(metrics::auc_variance(s.scores, s.flags) == Approx(0.004376135574555462).epsilon(1e-12));

  const auto curve = metrics::roc_curve(s.scores, s.flags);
  REQUIRE(curve.threshold.size() == 27);
  double sums[3] = {};
  for (std::size_t i = 0; i < curve.threshold.size(); ++i) {
    sums[0] += curve.false_positive_rate[i];
    sums[1] += curve.true_positive_rate[i];
    if (i > 0) sums[2] += curve.threshold[i];
  }
  CHECK(sums[0] == Approx(11.555555555555555).epsilon(1e-13));
  CHECK(sums[1] == Approx(16.75).epsilon(1e-13));
  CHECK(sums[2] == Approx(12.10344827586207).epsilon(1e-13));
  CHECK(curve.threshold.front() == HUGE_VAL);
  CHECK(curve.true_positive_rate.back() == 1);
  CHECK(metrics::sensitivity_at_specificity(s.scores, s.flags, 0.8) ==
        Approx(0.4166666666666667).epsilon(1e-13));
  CHECK(metrics::specificity_at_sensitivity(s.scores, s.flags, 0.75) ==
        Approx(0.5555555555555556).epsilon(1e-13));
}

TEST_CASE("roc: the threshold of an operating point does what is said of it", "[metrics]") {
  const Sample s;
  const auto check = [&](const metrics::OperatingPoint& point) {
    double passed[2] = {}, all[2] = {};
    for (std::size_t i = 0; i < s.scores.size(); ++i) {
      ++all[s.flags[i]];
      passed[s.flags[i]] += s.scores[i] >= point.threshold;
    }
    CHECK(point.sensitivity == passed[1] / all[1]);
    CHECK(point.specificity == Approx(1 - passed[0] / all[0]).epsilon(1e-14));
  };
  check(metrics::point_at_specificity(s.scores, s.flags, 0.8));
  check(metrics::point_at_sensitivity(s.scores, s.flags, 0.9));
  CHECK(metrics::point_at_specificity(s.scores, s.flags, 1).specificity == 1);
  CHECK(metrics::point_at_sensitivity(s.scores, s.flags, 1).sensitivity == 1);
  const std::vector<double> equal{5, 5, 5, 5};
  const std::vector<int> flags{0, 1, 0, 1};  // all or nothing: nothing keeps the specificity
  CHECK(metrics::point_at_specificity(equal, flags, 0.5).sensitivity == 0);
  CHECK(metrics::point_at_specificity(equal, flags, 0.5).threshold == HUGE_VAL);
  CHECK(metrics::specificity_at_sensitivity(equal, flags, 0.5) == 0);
  // Nine of ten negatives are a specificity of at least 0.9, whatever 1 - 0.1 rounds to.
  std::vector<double> ten{0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1};
  std::vector<int> kinds(10, 0);
  kinds.push_back(1);
  CHECK(metrics::sensitivity_at_specificity(ten, kinds, 0.9) == 1);
}

TEST_CASE("roc: the mean over classes", "[metrics]") {
  std::vector<double> p;
  std::vector<int> labels;
  for (int i = 0; i < n; ++i) {
    labels.push_back(i * 7 % classes);
    double sum = 0;
    for (int c = 0; c < classes; ++c) {
      p.push_back(1 + (i * 13 + c * 29) % 17 + 9 * (labels.back() == c));
      sum += p.back();
    }
    for (int c = 0; c < classes; ++c) p[p.size() - 1 - static_cast<std::size_t>(c)] /= sum;
  }
  const auto interval = metrics::macro_auc(p, labels, 1);
  CHECK(interval.value == Approx(0.8977777777777778).epsilon(1e-13));
  CHECK(interval.low < interval.value - 0.01);
  CHECK(interval.high > interval.value + 0.01);
  const auto again = metrics::macro_auc(p, labels, 1);
  CHECK(again.low == interval.low);
  CHECK(metrics::macro_auc(p, labels, 2).low != interval.low);

  std::vector<double> more;  // a class without samples changes nothing
  for (int i = 0; i < n; ++i) {
    for (int c = 0; c < classes; ++c) more.push_back(p[static_cast<std::size_t>(i * classes + c)]);
    more.push_back(0.1);
  }
  CHECK(metrics::macro_auc(more, labels, 1).value == interval.value);
  labels[3] = 4;
  CHECK_THROWS_WITH(metrics::macro_auc(p, labels, 1), contains("label 4 of sample 3"));
}

TEST_CASE("roc: the bootstrap's interval is near DeLong's, and the seed's alone", "[metrics]") {
  const Sample s;
  const auto delong = metrics::auc_delong(s.scores, s.flags);
  const auto found = metrics::auc_bootstrap(s.scores, s.flags, 7, 4000);
  CHECK(found.value == delong.value);
  CHECK(found.low == Approx(delong.low).margin(0.02));
  CHECK(found.high == Approx(delong.high).margin(0.02));
  CHECK(metrics::auc_bootstrap(s.scores, s.flags, 7, 4000).high == found.high);
  CHECK(metrics::auc_bootstrap(s.scores, s.flags, 7, 4000, 0.5).low > found.low);
}

TEST_CASE("roc: perfect, reversed and constant scores", "[metrics]") {
  const std::vector<int> flags{0, 0, 1, 1};
  CHECK(metrics::auc(std::vector<double>{1, 2, 3, 4}, flags) == 1);
  CHECK(metrics::auc(std::vector<double>{4, 3, 2, 1}, flags) == 0);
  CHECK(metrics::auc(std::vector<double>{5, 5, 5, 5}, flags) == 0.5);
  const auto interval = metrics::auc_delong(std::vector<double>{1, 2, 3, 4}, flags);
  CHECK(interval.low == 1);
  CHECK(interval.high == 1);
}

TEST_CASE("roc: what is not defined is said", "[metrics]") {
  const std::vector<double> scores{1, 2, 3};
  CHECK_THROWS_WITH(metrics::auc(scores, std::vector<int>{1, 1, 1}),
                    contains("3 positive and 0 negative"));
  CHECK_THROWS_WITH(metrics::auc(scores, std::vector<int>{1, 0}), contains("3 scores came with 2"));
  CHECK_THROWS_WITH(
      metrics::auc(std::vector<double>{1, std::nan(""), 2}, std::vector<int>{1, 0, 1}),
      contains("sample 1 is not a number"));
  CHECK_THROWS_WITH(metrics::auc_delong(scores, std::vector<int>{1, 0, 0}), contains("at least 2"));
  CHECK_THROWS_WITH(metrics::auc_delong(scores, std::vector<int>{1, 0, 0}, 95.0),
                    contains("between 0 and 1"));
  CHECK_THROWS_WITH(metrics::point_at_sensitivity(scores, std::vector<int>{1, 0, 0}, 90.0),
                    contains("from 0 to 1"));
  CHECK_THROWS_WITH(metrics::auc_bootstrap(scores, std::vector<int>{1, 0, 0}, 1, 1),
                    contains("some hundreds"));
}
