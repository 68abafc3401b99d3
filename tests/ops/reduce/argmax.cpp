#include <ebb/ops/reduce/argmax.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

TEST_CASE("argmax: along each axis", "[ops][reduce]") {
  // x = torch.tensor([[1., 3., 3.], [4., 0., -1.]]); x.argmax(1), x.argmax(0)
  const Tensor<float, 2> x({2, 3}, {1, 3, 3, 4, 0, -1});
  CHECK(argmax(x, 1).values() == std::vector<int>{1, 0});
  CHECK(argmax(x, -1).values() == std::vector<int>{1, 0});
  CHECK(argmax(x, 0).values() == std::vector<int>{1, 0, 0});
  CHECK(argmax(Tensor<float, 1>({3}, {0, NAN, NAN}), 0).item() == 1);
  CHECK(argmax(Tensor<int, 1>({3}, {0, 5, 5}), 0).item() == 1);
  CHECK(argmax(Tensor<Dual<double>, 1>({2}, {Dual<double>(1), Dual<double>(2)}), 0).item() == 1);
}

TEST_CASE("argmax: in the middle of a large tensor", "[ops][reduce]") {
  const auto x = test::random<float>(Shape{37, 11, 90}, 1);
  const auto y = argmax(x, 1);
  REQUIRE(y.shape() == Shape{37, 90});
  for (Index i = 0; i < 37; ++i)
    for (Index j = 0; j < 90; ++j)
      for (Index k = 0; k < 11; ++k)
        if (x(i, k, j) > x(i, y(i, j), j))
          FAIL("element " << i << ", " << j << " is not the largest");
  CHECK(test::same_for_any_threads([&] { return argmax(x, 1); }));
}

TEST_CASE("argmax: takes a variable, gives a plain tensor", "[ops][reduce]") {
  Tape tape;
  const auto x = tape.watch(Tensor<float, 2>({1, 2}, {1, 2}));
  static_assert(std::is_same_v<decltype(argmax(x, 1)), Tensor<int, 1>>);
  CHECK(argmax(x, 1).item() == 1);
}

TEST_CASE("argmax: errors", "[ops][reduce]") {
  CHECK(test::contains(test::error_of<ShapeError>([] {
                         argmax(Tensor<float, 2>(Shape{2, 3}), 2);
                       }),
                       "argmax: axis 2 is out of range"));
  CHECK(test::contains(test::error_of<ShapeError>([] {
                         argmax(Tensor<float, 2>(Shape{2, 0}), 1);
                       }),
                       "argmax: a tensor of shape (2, 0) has no elements to reduce"));
  CHECK(argmax(Tensor<float, 2>(Shape{0, 3}), 1).size() == 0);
}
