#include <ebb/core/random.hpp>
#include <ebb/metrics/temperature.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scikit-learn, scipy).

namespace {

constexpr int n = 60, classes = 4;

struct Event {
  std::vector<double> p;
  std::vector<int> came;
  Event() {
    for (int i = 0; i < n; ++i) {
      came.push_back(i * 7 % 10 < 4);
      p.push_back(0.7 * ((i * 37 % 61) / 60.0) + 0.3 * came.back());
    }
  }
};

struct Classes {
  std::vector<double> z;
  std::vector<int> label;
  Classes() {
    for (int i = 0; i < n; ++i) {
      label.push_back(i * 7 % classes);
      for (int c = 0; c < classes; ++c)
        z.push_back(((i * 13 + c * 29) % 17) / 4.0 + 2.5 * (label.back() == c));
    }
  }
};

}  // namespace

TEST_CASE("calibration: reliability, ECE and Brier's score of an event", "[metrics]") {
  const Event e;
  const auto diagram = metrics::reliability(e.p, e.came, 10);
  REQUIRE(diagram.size() == 10);
  Index count = 0;
  for (const auto& bin : diagram) count += bin.count;
  CHECK(count == n);
  CHECK(metrics::expected_calibration_error(diagram) == Approx(0.13649999999999998).epsilon(1e-13));
  CHECK(metrics::expected_calibration_error(e.p, e.came, 10) ==
        metrics::expected_calibration_error(diagram));
  CHECK(metrics::brier_score(e.p, e.came) == Approx(0.15551601851851854).epsilon(1e-13));
}

TEST_CASE("calibration: several classes", "[metrics]") {
  const Classes c;
  const auto q = metrics::softmax_at(1, c.z, classes);
  CHECK(metrics::brier_score_of_classes(q, c.label) == Approx(0.36016373055190215).epsilon(1e-13));
  const auto claims = metrics::claims(q, c.label);
  CHECK(metrics::expected_calibration_error(claims.confidence, claims.right) ==
        Approx(0.28496381816081723).epsilon(1e-12));
}

TEST_CASE("calibration: probabilities on the edges of bins", "[metrics]") {
  // (low, high]: 0 joins the first bin, 0.2 = 2/10 the second of ten, 1 the last.
  const std::vector<double> p{0, 0.1, 0.2, 0.3, 0.6, 0.7, 1};
  const std::vector<int> came(7, 1);
  const auto diagram = metrics::reliability(p, came, 10);
  const Index expected[] = {2, 1, 1, 0, 0, 1, 1, 0, 0, 1};
  for (std::size_t b = 0; b < 10; ++b) CHECK(diagram[b].count == expected[b]);
  CHECK(diagram[0].probability == Approx(0.05));
  CHECK(diagram[0].frequency == 1);
  CHECK(metrics::reliability(p, came, 1)[0].count == 7);
}

TEST_CASE("calibration: the best temperature", "[metrics]") {
  const Classes c;
  const auto found = metrics::fit_temperature(c.z, c.label);
  CHECK(found.value == Approx(0.5986170531968611).epsilon(1e-7));
  CHECK(found.before == Approx(0.6381671188125623).epsilon(1e-13));
  CHECK(found.after == Approx(0.586234881589426).epsilon(1e-13));

  const Event e;
  std::vector<double> x;
  for (int i = 0; i < n; ++i) x.push_back(6 * e.p[static_cast<std::size_t>(i)] - 2 + (i % 5) / 2.0);
  const auto binary = metrics::fit_temperature_binary(x, e.came);
  CHECK(binary.value == Approx(5.575728357141253).epsilon(1e-7));
  CHECK(binary.after == Approx(0.6675155575322178).epsilon(1e-13));
}

TEST_CASE("calibration: a temperature that made logits too sure is found again", "[metrics]") {
  // Labels drawn from softmax(z), logits 3 z: the temperature is 3.
  std::vector<double> z;
  std::vector<int> label;
  const RandomStream random{5, 0};
  for (std::uint64_t i = 0; i < 20000; ++i) {
    std::vector<double> row;
    for (std::uint64_t c = 0; c < 3; ++c) row.push_back(random.normal<double>(4 * i + c));
    const auto p = metrics::softmax_at(1, row, 3);
    const double u = RandomStream{5, 1}.uniform<double>(i);
    label.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
    for (const double x : row) z.push_back(3 * x);
  }
  CHECK(metrics::fit_temperature(z, label).value == Approx(3).epsilon(0.03));
}

TEST_CASE("calibration: what is not defined is said", "[metrics]") {
  const std::vector<double> p{0.2, 1.5}, none;
  const std::vector<int> came{0, 1}, no_flags;
  CHECK_THROWS_WITH(metrics::brier_score(p, came), contains("lies in [0, 1]"));
  CHECK_THROWS_WITH(metrics::brier_score(none, no_flags), contains("at least one"));
  CHECK_THROWS_WITH(metrics::reliability(std::vector<double>{0.2, 0.3}, came, 0),
                    contains("0 bins"));
  CHECK_THROWS_WITH(metrics::claims(p, std::vector<int>{0, 1, 0}), contains("2 numbers for 3"));
  CHECK_THROWS_WITH(metrics::fit_temperature(std::vector<double>{2, 0, 0, 2}, came),
                    contains("colder is always better"));
  CHECK_THROWS_WITH(metrics::fit_temperature(std::vector<double>{0, 2, 2, 0}, came),
                    contains("no more than chance"));
  CHECK_THROWS_WITH(metrics::fit_temperature(std::vector<double>{0, HUGE_VAL, 2, 0}, came),
                    contains("not finite"));
}
