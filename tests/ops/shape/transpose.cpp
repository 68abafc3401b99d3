#include <ebb/ops/shape/transpose.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

TEST_CASE("transpose: a matrix", "[ops][transpose]") {
  const Tensor<float, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto y = transpose(x);
  CHECK(y.shape() == Shape{3, 2});
  CHECK(y.values() == std::vector<float>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("transpose: two axes of several", "[ops][transpose]") {
  const auto x = test::random<double>(Shape{3, 4, 5});
  const auto y = transpose(x, -2, -1);
  REQUIRE(y.shape() == Shape{3, 5, 4});
  const auto z = transpose(x, 0, 2);
  REQUIRE(z.shape() == Shape{5, 4, 3});
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 4; ++j)
      for (Index k = 0; k < 5; ++k) {
        REQUIRE(y(i, k, j) == x(i, j, k));
        REQUIRE(z(k, j, i) == x(i, j, k));
      }
  CHECK(test::same_bits(transpose(x, 1, 1), x));
  CHECK(contains(test::error_of<ShapeError>([&] { transpose(x, 0, 3); }),
                 "transpose: axis 3 is out of range for a tensor of rank 3"));
}

TEST_CASE("transpose: gradients", "[ops][transpose]") {
  CHECK_GRADIENTS([](const auto& x) { return transpose(x); }, test::random<double>(Shape{3, 4}));
  CHECK_GRADIENTS([](const auto& x) { return transpose(x); }, test::random<double>(Shape{1, 5}));
  CHECK_GRADIENTS([](const auto& x) { return transpose(x, 0, 2); },
                  test::random<double>(Shape{2, 3, 4}));
}
