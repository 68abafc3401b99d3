#include <ebb/metrics/distance_transform.hpp>

#include "tests/metrics/masks.hpp"
#include "tests/support/match.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scipy, scikit-learn).
TEST_CASE("distance_transform: exact, beside all pairs and scipy", "[metrics]") {
  const auto sums = [](const auto& squares) {
    std::pair<double, double> found{0, 0};
    for (Index i = 0; i < squares.size(); ++i) {
      found.first += squares.data()[i];
      found.second = std::max(found.second, squares.data()[i]);
    }
    return found;
  };
  const auto is_set = [](int v) { return v == 7; };
  const Masks<2> two(Shape{24, 31});
  const auto squares = metrics::squared_distances(two.truth, is_set, {0.5, 0.8});
  CHECK(sums(squares).first == Approx(15322.75).epsilon(1e-13));
  CHECK(sums(squares).second == Approx(89.0).epsilon(1e-13));
  for (Index a = 0; a < squares.size(); a += 7) {
    double nearest = HUGE_VAL;
    for (Index b = 0; b < squares.size(); ++b) {
      if (two.truth.data()[b] != 7) continue;
      const double y = 0.5 * static_cast<double>(a / 31 - b / 31);
      const double x = 0.8 * static_cast<double>(a % 31 - b % 31);
      nearest = std::min(nearest, y * y + x * x);
    }
    CHECK(squares.data()[a] == Approx(nearest).epsilon(1e-13));
  }
  const Masks<3> three(Shape{19, 17, 23});
  const auto deep = metrics::squared_distances(three.truth, is_set, {2.5, 0.7, 0.7});
  CHECK(sums(deep).first == Approx(142657.33999999997).epsilon(1e-13));
  CHECK(sums(deep).second == Approx(98.01).epsilon(1e-13));
  CHECK(same_for_any_threads([&] {
    return metrics::squared_distances(three.truth, is_set, {2.5, 0.7, 0.7});
  }));

  const auto empty = metrics::squared_distances(Tensor<int, 1>::zeros({4}), is_set);
  CHECK(empty.data()[2] == HUGE_VAL);
  CHECK(metrics::squared_distances(Tensor<int, 2>(Shape{0, 3}), is_set).size() == 0);
}
