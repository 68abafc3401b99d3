#include <ebb/ops/shape/stack.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

TEST_CASE("stack makes a new axis", "[ops][stack]") {
  const Tensor<float, 1> a({3}, {1, 2, 3}), b({3}, {4, 5, 6});
  CHECK(stack({a, b}, 0).values() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(stack({a, b}, 0).shape() == Shape{2, 3});
  CHECK(stack({a, b}, 1).values() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(stack({a, b}, -1).shape() == Shape{3, 2});
  const Tensor<float, 0> one(1), two(2);
  CHECK(stack({one, two}, 0).values() == std::vector<float>{1, 2});
  CHECK(stack(std::vector{a}, 1).shape() == Shape{3, 1});
}

TEST_CASE("stack: a middle axis, against indexing", "[ops][stack]") {
  std::vector<Tensor<double, 2>> list;
  for (std::uint64_t k = 0; k < 3; ++k) list.push_back(test::random<double>(Shape{4, 5}, k + 1));
  const auto y = stack(list, 1);
  REQUIRE(y.shape() == Shape{4, 3, 5});
  for (Index i = 0; i < 4; ++i)
    for (Index k = 0; k < 3; ++k)
      for (Index j = 0; j < 5; ++j) REQUIRE(y(i, k, j) == list[static_cast<std::size_t>(k)](i, j));
}

TEST_CASE("stack: what cannot be stacked", "[ops][stack]") {
  const auto a = test::random<float>(Shape{2, 3}), b = test::random<float>(Shape{2, 4});
  CHECK(test::error_of<ShapeError>([&] {
          stack({a, b}, 0);
        }) == "stack: operand 1 has shape (2, 4), the first one (2, 3); they must be equal");
  CHECK(contains(test::error_of<ShapeError>([] { stack(std::vector<Tensor<float, 1>>{}, 0); }),
                 "stack: the list of operands is empty"));
  CHECK(contains(test::error_of<ShapeError>([&] { stack({a, a}, 3); }), "axis 3 is out of range"));
}

TEST_CASE("stack: gradients", "[ops][stack]") {
  const auto a = test::random<double>(Shape{2, 3}, 1), b = test::random<double>(Shape{2, 3}, 2);
  for (const int axis : {0, 1, 2})
    CHECK_GRADIENTS([axis](const auto& x, const auto& y) { return stack({x, y, x}, axis); }, a, b);
  CHECK_GRADIENTS([](const auto& x) { return stack({x}, 0); }, test::random<double>(Shape<0>{}));
}
