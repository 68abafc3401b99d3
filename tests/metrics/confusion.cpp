#include <ebb/metrics/confusion.hpp>

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scikit-learn, scipy).
TEST_CASE("confusion: shares of four classes", "[metrics]") {
  std::vector<int> truth, predicted;
  for (int i = 0; i < 60; ++i) {
    truth.push_back(i * 7 % 4);
    predicted.push_back(i % 3 == 0 ? (truth.back() + i % 2 + 1) % 4 : truth.back());
  }
  metrics::ConfusionMatrix m(4);
  m.add(truth, predicted);
  CHECK(m.accuracy() == Approx(0.6666666666666666).epsilon(1e-14));
  CHECK(m.balanced_accuracy() == Approx(0.6666666666666666).epsilon(1e-14));
  CHECK(m.precision(2) == 1);
  CHECK(m.recall(2) == Approx(0.6666666666666666).epsilon(1e-14));
  CHECK(m.sensitivity(2) == m.recall(2));
  CHECK(m.f1(2) == Approx(0.8).epsilon(1e-14));
  CHECK(m.macro_f1() == Approx(0.6857142857142857).epsilon(1e-14));
  CHECK(m.specificity(2) == 1);
  CHECK(m.negative_predictive_value(2) == Approx(45.0 / 50).epsilon(1e-14));
  CHECK_THROWS_WITH(m.add(truth, std::vector<int>{1}), contains("60 true and 1 predicted"));
}

TEST_CASE("confusion: what has no denominator is nan", "[metrics]") {
  metrics::ConfusionMatrix m(3);
  CHECK(std::isnan(m.accuracy()));
  CHECK(std::isnan(m.balanced_accuracy()));
  CHECK(std::isnan(m.macro_f1()));
  m.add(Index{0}, Index{1});
  CHECK(std::isnan(m.precision(0)));
  CHECK(std::isnan(m.f1(2)));
  CHECK(m.macro_f1() == 0);
  CHECK(m.balanced_accuracy() == 0);
  CHECK(m.specificity(1) == 0);
  CHECK_THROWS_WITH(m.add(Index{3}, Index{0}), contains("3 is no class"));
  CHECK_THROWS_AS(metrics::ConfusionMatrix(Index{-1}), ValueError);
}
