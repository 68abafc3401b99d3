#include <ebb/ops/reshape.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

TEST_CASE("reshape: the same memory under other extents", "[ops][reshape]") {
  const Tensor<float, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto y = reshape(x, Shape{3, 1, 2});
  CHECK(y.shape() == Shape{3, 1, 2});
  CHECK(y.data() == x.data());
  CHECK(y.values() == x.values());
}

TEST_CASE("reshape: one extent may be left open", "[ops][reshape]") {
  const Tensor<float, 3> x = Tensor<float, 3>::ones(Shape{2, 3, 4});
  CHECK(reshape(x, Shape{-1, 8}).shape() == Shape{3, 8});
  CHECK(reshape(x, Shape{-1}).shape() == Shape{24});
  CHECK(contains(test::error_of<ShapeError>([&] {
                   reshape(x, Shape{-1, -1});
                 }),
                 "leaves two extents open"));
  CHECK(contains(test::error_of<ShapeError>([&] {
                   reshape(x, Shape{-1, 7});
                 }),
                 "the known extents of (-1, 7) do not divide"));
}

TEST_CASE("reshape: another number of elements is refused", "[ops][reshape]") {
  const Tensor<float, 2> x = Tensor<float, 2>::ones(Shape{2, 3});
  CHECK(test::error_of<ShapeError>([&] {
          reshape(x, Shape{2, 4});
        }) == "reshape: (2, 3) holds 6 elements, (2, 4) holds 8");
  CHECK(contains(test::error_of<ValueError>([] { reshape(Tensor<float, 2>(), Shape{0}); }),
                 "undefined"));
}

TEST_CASE("reshape: gradients", "[ops][reshape]") {
  CHECK_GRADIENTS(
      [](const auto& x) {
        return reshape(x, Shape{4, 3});
      },
      test::random<double>(Shape{2, 3, 2}));
  CHECK_GRADIENTS([](const auto& x) { return reshape(x, Shape<0>{}); },
                  test::random<double>(Shape{1, 1}));
}

TEST_CASE("reshape: the gradient is handed on, not copied", "[ops][reshape]") {
  Tape tape;
  const auto x = tape.watch(Tensor<float, 2>::ones(Shape{2, 3}));
  const auto y = reshape(x, Shape{6});
  const Tensor<float, 1> dy({6}, {1, 2, 3, 4, 5, 6});
  backward(y, dy);
  CHECK(x.grad().shape() == Shape{2, 3});
  CHECK(x.grad().data() == dy.data());
}

TEST_CASE("reshape: dual numbers", "[ops][reshape]") {
  const Tensor<Dual<double>, 1> x({2}, {Dual<double>(1, 2), Dual<double>(3, 4)});
  CHECK(reshape(x, Shape{2, 1})(1, 0).tangent == 4);
}
