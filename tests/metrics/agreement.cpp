#include <ebb/metrics/agreement.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;
using metrics::KappaWeights;

// Expected numbers: tests/oracle/metrics.py (scikit-learn).
TEST_CASE("agreement: Cohen's kappa under three weights", "[metrics]") {
  std::vector<int> truth, predicted;
  for (int i = 0; i < 60; ++i) {
    truth.push_back(i * 7 % 4);
    predicted.push_back(i % 3 == 0 ? (truth.back() + i % 2 + 1) % 4 : truth.back());
  }
  CHECK(metrics::cohen_kappa(truth, predicted, 4) == Approx(0.5555555555555556).epsilon(1e-13));
  CHECK(metrics::cohen_kappa(truth, predicted, 4, KappaWeights::linear) ==
        Approx(0.6).epsilon(1e-13));
  CHECK(metrics::cohen_kappa(truth, predicted, 4, KappaWeights::quadratic) ==
        Approx(0.6666666666666667).epsilon(1e-13));
  CHECK(metrics::cohen_kappa(truth, truth, 4) == 1);
}

TEST_CASE("agreement: what is not defined is said", "[metrics]") {
  const std::vector<int> same{1, 1}, none;
  CHECK_THROWS_WITH(metrics::cohen_kappa(same, same, 2), contains("all samples are of one class"));
  CHECK_THROWS_WITH(metrics::cohen_kappa(none, none, 2), contains("0 true and 0 predicted"));
  CHECK_THROWS_WITH(metrics::cohen_kappa(same, same, 1), contains("1 of sample 0 is none of 1"));
}
