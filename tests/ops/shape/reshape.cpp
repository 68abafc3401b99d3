#include <ebb/ops/shape/reshape.hpp>
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

// torch.zeros(2, 3).reshape(-2, -3): "invalid shape dimension -3"
TEST_CASE("reshape: extents are not negative, nor more than can be addressed", "[ops][reshape]") {
  const auto x = Tensor<float, 2>::ones(Shape{2, 3});
  const Index huge = Index{1} << 40;
  const auto text = [&](const auto& shape) {
    return test::error_of<ShapeError>([&] { reshape(x, shape); });
  };
  CHECK(text(Shape{-2, -3}) ==
        "reshape: extent -2 on axis 0 of (-2, -3) is negative; only -1, for what the others leave, "
        "may be");
  CHECK(contains(text(Shape{-1, -6}), "extent -6 on axis 1"));
  CHECK(contains(text(Shape<4>{huge, huge, huge, -1}), "do not divide"));
  CHECK(contains(text(Shape<4>{huge, huge, huge, 1}), "more elements than can be addressed"));
  CHECK(contains(test::error_of<ShapeError>([&] {
                   x.reshape(Shape{-3, -2});
                 }),
                 "extent -3 on axis 0 of (-3, -2) is negative"));
  CHECK(contains(test::error_of<ShapeError>([&] {
                   Tensor<float, 3>(Shape<3>{0, huge, huge});
                 }),
                 "more elements than can be addressed"));
  CHECK(contains(test::error_of<ShapeError>([] {
                   Tensor<float, 2>(Shape{-2, -3});
                 }),
                 "is negative"));
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
