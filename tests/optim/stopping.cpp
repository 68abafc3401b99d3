#include <ebb/optim/stopping.hpp>

#include <cmath>
#include <string>

#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {
/// Steps until it stops.
template <class Loss>
std::int64_t run(optim::Stopping& stop, Loss loss) {
  std::int64_t step = 0;
  while (!stop(loss(step++))) REQUIRE(step < 1000);
  return step;
}
}  // namespace

TEST_CASE("stopping when the loss hardly changes") {
  optim::Stopping stop({.min_change = 1e-3});
  // 1/n - 1/(n+1) < 1e-3 first at n = 32: the 33rd loss.
  CHECK(run(stop, [](std::int64_t i) { return 1.0 / static_cast<double>(i + 1); }) == 33);
  CHECK(stop.stopped());
  CHECK(std::string(stop.reason()) == "the loss changes less than the threshold");
  CHECK(stop.best() == 1.0 / 33);
  CHECK(stop.best_step() == 33);
}

TEST_CASE("stopping when patience ends") {
  const double losses[] = {5, 4, 4.5, 3.95, 4, 4.1, 9};
  optim::Stopping stop({.patience = 3});
  CHECK(run(stop, [&](std::int64_t i) { return losses[i]; }) == 7);
  CHECK(stop.best_step() == 4);
  optim::Stopping picky({.patience = 3, .min_improvement = 0.1});  // 3.95 is no new best
  CHECK(run(picky, [&](std::int64_t i) { return losses[i]; }) == 5);
  CHECK_THAT(picky.reason(), Contains("patience"));
}

TEST_CASE("stopping at a limit, at a low loss, and at nonsense") {
  optim::Stopping limit({.max_steps = 4});
  CHECK(run(limit, [](std::int64_t i) { return static_cast<double>(i); }) == 4);
  CHECK_THAT(limit.reason(), Contains("limit of steps"));
  optim::Stopping low({.min_loss = 0.5});
  CHECK(run(low, [](std::int64_t i) { return 2.0 - 0.5 * static_cast<double>(i); }) == 4);
  CHECK_THAT(low.reason(), Contains("low enough"));
  optim::Stopping broken({.max_steps = 10});
  CHECK(run(broken, [](std::int64_t i) { return i < 2 ? 1.0 : std::nan(""); }) == 3);
  CHECK_THAT(broken.reason(), Contains("not finite"));
  optim::Stopping at_once({.patience = 2});
  CHECK(at_once(std::nan("")));
}

TEST_CASE("stopping goes on where it was") {
  optim::Stopping first({.patience = 3}), second({.patience = 3});
  for (const double loss : {2.0, 1.0, 1.5}) first(loss);
  double numbers[8];
  int count = 0;
  first.visit_numbers([&](const std::string&, double& n) { numbers[count++] = n; });
  count = 0;
  second.visit_numbers([&](const std::string&, double& n) { n = numbers[count++]; });
  CHECK_FALSE(second(1.5));
  CHECK(second(1.5));
  CHECK(second.steps() == 5);
  CHECK(second.best() == 1);
}

TEST_CASE("stopping refuses to run for ever") {
  CHECK_THROWS_WITH(optim::Stopping({}), Contains("no criterion is set"));
  CHECK_THROWS_AS(optim::Stopping({.patience = -1}), ValueError);
  CHECK_THROWS_AS(optim::Stopping({.min_change = std::nan("")}), ValueError);
}
