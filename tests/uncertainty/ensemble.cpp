#include <ebb/uncertainty/ensemble.hpp>

#include <ebb/nn/linear.hpp>

#include "tests/support/match.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_CASE("ensemble: the mean of members' probabilities", "[uncertainty]") {
  manual_seed(1);
  const std::vector<nn::Linear<double>> nets{nn::Linear<double>(4, 3), nn::Linear<double>(4, 3),
                                             nn::Linear<double>(4, 3)};
  const auto x = random<double>(Shape{5, 4}, 2, -3, 3);
  const auto found = uncertainty::ensemble(nets, x);
  std::vector<double> mean(15);
  for (const auto& net : nets) {
    const auto p = softmax(net(x), 1).values();
    for (std::size_t i = 0; i < 15; ++i) mean[i] += p[i] / 3;
  }
  CHECK(found.members == 3);
  CHECK(difference(found.mean, mean) < 1e-14);
  for (Index i = 0; i < 5; ++i) CHECK(found.disagreement(i) > 0);
  CHECK_THROWS_WITH(uncertainty::ensemble(std::vector<nn::Linear<double>>{}, x),
                    contains("no member"));
}
