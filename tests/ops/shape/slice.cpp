#include <ebb/ops/shape/slice.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

TEST_CASE("slice: a stretch of an axis", "[ops][slice]") {
  const Tensor<float, 2> x({3, 4}, {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23});
  CHECK(slice(x, 0, 1, 3).values() == std::vector<float>{10, 11, 12, 13, 20, 21, 22, 23});
  CHECK(slice(x, 1, 1, 3).values() == std::vector<float>{1, 2, 11, 12, 21, 22});
  CHECK(slice(x, 1, 1, 3).shape() == Shape{3, 2});
  CHECK(slice(x, -1, -1, 4).values() == std::vector<float>{3, 13, 23});
  CHECK(slice(x, 0, 0, -2).values() == std::vector<float>{0, 1, 2, 3});
  CHECK(slice(x, 0, 0, 3).values() == x.values());
}

TEST_CASE("slice: every element of a middle axis, against indexing", "[ops][slice]") {
  const auto x = test::random<double>(Shape{3, 5, 4});
  const auto y = slice(x, 1, 1, 4);
  REQUIRE(y.shape() == Shape{3, 3, 4});
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 3; ++j)
      for (Index k = 0; k < 4; ++k) REQUIRE(y(i, j, k) == x(i, j + 1, k));
}

TEST_CASE("slice: stretches that are not there", "[ops][slice]") {
  const auto x = test::random<float>(Shape{3, 4});
  CHECK(test::error_of<ShapeError>([&] { slice(x, 1, 2, 5); }) ==
        "slice: [2, 5) is not a stretch of axis 1 of (3, 4), whose extent is 4; begin must be at "
        "most end, and end at most 4");
  CHECK(contains(test::error_of<ShapeError>([&] { slice(x, 0, 2, 1); }), "[2, 1) is not"));
  CHECK(contains(test::error_of<ShapeError>([&] { slice(x, 0, -4, 2); }), "[-4, 2) is not"));
  CHECK(contains(test::error_of<ShapeError>([&] { slice(x, 2, 0, 1); }), "axis 2 is out of range"));
}

TEST_CASE("slice: gradients", "[ops][slice]") {
  const auto x = test::random<double>(Shape{3, 4, 2});
  CHECK_GRADIENTS([](const auto& v) { return slice(v, 0, 1, 2); }, x);
  CHECK_GRADIENTS([](const auto& v) { return slice(v, 1, 1, 4); }, x);
  CHECK_GRADIENTS([](const auto& v) { return slice(v, 2, 0, 2); }, x);
}

TEST_CASE("slice: gradients of two overlapping stretches add up", "[ops][slice]") {
  Tape tape;
  const auto x = tape.watch(test::random<double>(Shape{4}));
  const auto a = slice(x, 0, 0, 3), b = slice(x, 0, 1, 4);
  backward(a, Tensor<double, 1>({3}, {1, 2, 3}), Retain::yes);
  backward(b, Tensor<double, 1>({3}, {10, 20, 30}), Retain::yes);
  CHECK(x.grad().values() == std::vector<double>{1, 12, 23, 30});
}

TEST_CASE("slice: dual numbers", "[ops][slice]") {
  const Tensor<Dual<double>, 1> x({2}, {Dual<double>(1, 2), Dual<double>(3, 4)});
  CHECK(slice(x, 0, 1, 2)(0).tangent == 4);
}

TEST_CASE("slice: labels are tensors too", "[ops][slice]") {
  const Tensor<int, 1> labels({4}, {7, 8, 9, 10});
  CHECK(slice(labels, 0, 1, 3).values() == std::vector<int>{8, 9});
}
