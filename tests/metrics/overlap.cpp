#include <ebb/metrics/overlap.hpp>

#include "tests/metrics/masks.hpp"
#include "tests/support/match.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scipy, scikit-learn).
TEST_CASE("overlap: Dice and IoU", "[metrics]") {
  const Masks<2> two(Shape{24, 31});
  const auto counts = metrics::overlap(two.predicted, two.truth, 7);
  CHECK(counts.dice() == Approx(0.8031496062992126).epsilon(1e-14));
  CHECK(counts.iou() == Approx(0.6710526315789473).epsilon(1e-14));
  CHECK(counts.iou() == Approx(counts.dice() / (2 - counts.dice())).epsilon(1e-14));
  const Masks<3> three(Shape{19, 17, 23});
  CHECK(metrics::overlap(three.predicted, three.truth, 7).dice() ==
        Approx(0.7437185929648241).epsilon(1e-14));
  auto both = counts;
  both += metrics::overlap(two.truth, two.truth, 7);
  CHECK(both.true_negatives + both.true_positives + both.false_positives + both.false_negatives ==
        2 * 24 * 31);
  CHECK(both.dice() > counts.dice());

  const auto nothing = metrics::overlap(two.truth, two.truth, 5);
  CHECK_FALSE(nothing.defined());
  CHECK(nothing.true_negatives == 24 * 31);
  CHECK_THROWS_WITH(nothing.dice(), contains("neither the prediction nor the truth"));
  CHECK_THROWS_AS(nothing.iou(), ValueError);
  CHECK_THROWS_WITH(metrics::overlap(two.truth, Masks<2>(Shape{24, 30}).truth, 7),
                    contains("(24, 31)") && contains("(24, 30)"));
}
