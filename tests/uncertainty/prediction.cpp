#include <ebb/uncertainty/prediction.hpp>

#include "tests/support/match.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::test;
using uncertainty::Average;

TEST_CASE("prediction: means, entropies and disagreement", "[uncertainty]") {
  Average<double, 2> average;
  // Sure and agreed; sure and opposed; both undecided.
  average.add(Tensor<double, 2>({3, 2}, {99, -99, 99, -99, 1, 1}));
  average.add(Tensor<double, 2>({3, 2}, {99, -99, -99, 99, 2, 2}));
  const auto found = average.result();
  const double ln2 = std::log(2.0);
  CHECK(found.members == 2);
  CHECK(difference(found.mean, std::vector<double>{1, 0, 0.5, 0.5, 0.5, 0.5}) < 1e-14);
  CHECK(difference(found.entropy, std::vector<double>{0, ln2, ln2}) < 1e-14);
  CHECK(difference(found.disagreement, std::vector<double>{0, ln2, 0}) < 1e-14);
}

TEST_CASE("prediction: one logit, maps of logits, and what does not fit", "[uncertainty]") {
  Average<float, 2> one;
  one.add(Tensor<float, 2>({2, 1}, {0, 50}));
  one.add(Tensor<float, 2>({2, 1}, {0, -50}));
  const auto binary = one.result();
  CHECK(binary.mean(1, 0) == Approx(0.5));
  CHECK(binary.disagreement(0) == Approx(0).margin(1e-7));
  CHECK(binary.disagreement(1) == Approx(std::log(2.0)));

  Average<double, 4> maps;
  const auto a = random<double>(Shape{2, 3, 4, 5}, 1, -3, 3);
  maps.add(a);
  const auto found = maps.result();
  CHECK(found.entropy.shape() == Shape{2, 4, 5});
  const auto p = softmax(a, 1);
  double h = 0;
  for (Index c = 0; c < 3; ++c) h -= p(1, c, 2, 3) * std::log(p(1, c, 2, 3));
  CHECK(found.entropy(1, 2, 3) == Approx(h).epsilon(1e-13));
  CHECK(found.disagreement(1, 2, 3) == Approx(0).margin(1e-14));
  CHECK_THROWS_WITH(maps.add(random<double>(Shape{2, 3, 4, 4})), contains("(2, 3, 4, 4)"));
  CHECK_THROWS_WITH((Average<double, 2>{}.result()), contains("no member"));
}
