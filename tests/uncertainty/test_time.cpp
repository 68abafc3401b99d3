#include <ebb/uncertainty/test_time.hpp>

#include <ebb/nn/conv2d.hpp>
#include <ebb/ops/reduce/mean.hpp>

#include "tests/support/match.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// A pixel's logits are the pixel's channels: as symmetric as can be.
struct Pixelwise {
  auto operator()(const auto& x) const { return x; }
  static void visit(auto&, auto&&) {}
};

/// Logits of the top left corner.
struct Corner {
  Tensor<double, 2> operator()(const Tensor<double, 4>& x) const {
    Tensor<double, 2> y(Shape{x.extent(0), x.extent(1)});
    for (Index n = 0; n < x.extent(0); ++n)
      for (Index c = 0; c < x.extent(1); ++c) y(n, c) = x(n, c, 0, 0);
    return y;
  }
  static void visit(auto&, auto&&) {}
};

}  // namespace

TEST_CASE("test_time: maps are flipped back", "[uncertainty]") {
  const auto x = random<double>(Shape{2, 3, 4, 5}, 1, -2, 2);
  for (const bool vertical : {false, true}) {
    const auto found = uncertainty::test_time(Pixelwise{}, x, {.vertical = vertical});
    CHECK(found.members == (vertical ? 4 : 2));
    CHECK(difference(found.mean, softmax(x, 1)) < 1e-14);
  }
  const auto conv = nn::Conv2d<double>(3, 2, 3, {.padding = 1});  // no symmetry
  const auto found = uncertainty::test_time(conv, x);
  double most = 0;
  for (Index i = 0; i < found.disagreement.size(); ++i)
    most = std::max(most, found.disagreement.data()[i]);
  CHECK(most > 1e-3);
}

TEST_CASE("test_time: classes are averaged over the four corners", "[uncertainty]") {
  const auto x = random<double>(Shape{2, 3, 4, 5}, 1, -2, 2);
  const auto found = uncertainty::test_time(Corner{}, x, {.vertical = true});
  for (Index n = 0; n < 2; ++n) {
    double mean = 0;
    for (const Index i : {0, 3})
      for (const Index j : {0, 4}) {
        double sum = 0;
        for (Index c = 0; c < 3; ++c) sum += std::exp(x(n, c, i, j));
        mean += std::exp(x(n, 1, i, j)) / sum / 4;
      }
    CHECK(found.mean(n, 1) == Approx(mean).epsilon(1e-13));
  }
  CHECK(uncertainty::test_time(Corner{}, x, {.horizontal = false}).members == 1);
  CHECK(uncertainty::test_time(Corner{}, x).members == 2);
}
