#include <ebb/uncertainty/selective.hpp>

#include <ebb/core/random.hpp>

#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;
namespace unc = uncertainty;

// Expected numbers: tests/oracle/uncertainty.py (NumPy, SciPy).

TEST_CASE("selective: Clopper and Pearson's bound", "[uncertainty]") {
  CHECK(unc::binomial_upper_bound(0, 30, 0.05) == Approx(0.09503385285530411).epsilon(1e-12));
  CHECK(unc::binomial_upper_bound(3, 50, 0.01) == Approx(0.18720925616529482).epsilon(1e-12));
  CHECK(unc::binomial_upper_bound(40, 200, 0.00625) == Approx(0.2796131519188373).epsilon(1e-12));
  CHECK(unc::binomial_upper_bound(7, 7, 0.05) == 1);
  CHECK(unc::binomial_upper_bound(300, 100000, 0.05) < 0.0034);  // no overflow
  CHECK_THROWS_WITH(unc::binomial_upper_bound(3, 2, 0.05), contains("3 of 2"));
}

TEST_CASE("selective: risk at coverage, and the threshold to refer below", "[uncertainty]") {
  std::vector<double> confidence;
  std::vector<int> right;
  for (int i = 0; i < 200; ++i) {
    confidence.push_back((i * 37 % 101) / 101.0);
    right.push_back((i * 53 % 97) / 97.0 < 0.55 + 0.45 * confidence.back());
  }
  const auto curve = unc::risk_coverage_curve(confidence, right);
  CHECK(curve.risk.size() == 101);
  double sum = 0;
  for (const double r : curve.risk) sum += r;
  CHECK(sum == Approx(10.66433723760104).epsilon(1e-12));
  CHECK(curve.area == Approx(0.10544474223902414).epsilon(1e-12));
  CHECK(curve.coverage.back() == 1);

  const auto check = [&](double most, double threshold, double coverage, double risk,
                         double bound) {
    const auto rule = unc::referral_threshold(confidence, right, most);
    CHECK(rule.threshold == Approx(threshold).epsilon(1e-14));
    CHECK(rule.coverage == Approx(coverage).epsilon(1e-14));
    CHECK(rule.risk == Approx(risk).epsilon(1e-14));
    CHECK(rule.bound == Approx(bound).epsilon(1e-12));
  };
  check(0.1, 0.7524752475247525, 0.25, 0, 0.09652196142816914);
  check(0.2, 0.46534653465346537, 0.535, 0.102803738317757, 0.1980792973406901);
  check(0.3, 0.16831683168316833, 0.83, 0.20481927710843373, 0.2936527330425673);
  const auto never = unc::referral_threshold(confidence, right, 0.001);
  CHECK(never.threshold == HUGE_VAL);
  CHECK(never.coverage == 0);
  CHECK(std::isnan(never.risk));
}

TEST_CASE("selective: the promised risk is broken as rarely as promised", "[uncertainty]") {
  // An answer of confidence c is right with probability (1 + c) / 2, so at threshold t the true
  // risk is (1 - t) / 4.
  int broken = 0, used = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    std::vector<double> confidence;
    std::vector<int> right;
    for (std::uint64_t i = 0; i < 300; ++i) {
      confidence.push_back(RandomStream{trial, 0}.uniform<double>(i));
      right.push_back(RandomStream{trial, 1}.uniform<double>(i) < 0.5 * (1 + confidence.back()));
    }
    const auto rule = unc::referral_threshold(confidence, right, 0.15, 0.1);
    used += rule.coverage > 0;
    broken += rule.coverage > 0 && (1 - rule.threshold) / 4 > 0.15;
  }
  CHECK(used > 150);
  CHECK(broken <= 30);
}

TEST_CASE("selective: equal confidences, one sample, and what does not fit", "[uncertainty]") {
  const std::vector<double> same{0.5, 0.5, 0.5};
  const std::vector<int> right{1, 0, 1};
  const auto curve = unc::risk_coverage_curve(same, right);
  CHECK(curve.risk == std::vector<double>{1.0 / 3});
  CHECK(curve.area == Approx(1.0 / 3));
  CHECK(unc::referral_threshold(same, right, 0.99, 0.5).coverage == 1);  // all or none
  CHECK(unc::referral_threshold(std::vector<double>{1}, std::vector<int>{1}, 0.96, 0.05).coverage ==
        1);
  CHECK_THROWS_WITH(unc::risk_coverage_curve(same, std::vector<int>{1}),
                    contains("3 confidences came with 1"));
  CHECK_THROWS_WITH(unc::referral_threshold(same, right, 5), contains("between 0 and 1"));
  CHECK_THROWS_WITH(
      unc::risk_coverage_curve(std::vector<double>{std::nan("")}, std::vector<int>{1}),
      contains("not a number"));
}
