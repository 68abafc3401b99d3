#include <ebb/metrics/interval.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scipy).
TEST_CASE("interval: Wilson's interval of a share", "[metrics]") {
  const auto check = [](Index found, Index all, double low, double high) {
    const auto interval = metrics::wilson(found, all);
    CHECK(interval.value == static_cast<double>(found) / static_cast<double>(all));
    CHECK(interval.low == Approx(low).epsilon(1e-12));
    CHECK(interval.high == Approx(high).epsilon(1e-12));
  };
  check(8, 10, 0.4901624715366418, 0.9433178485456248);
  check(0, 7, 0, 0.35433043506668743);
  check(7, 7, 0.6456695649333126, 1);
  check(390, 624, 0.5863589073916815, 0.6621114632860092);
  CHECK_THROWS_WITH(metrics::wilson(0, 0), contains("0 of 0 is no share"));
  CHECK_THROWS_AS(metrics::wilson(5, 4), ValueError);
}
