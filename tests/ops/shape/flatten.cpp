#include <ebb/ops/shape/flatten.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

TEST_CASE("flatten keeps the batch axis and the memory", "[ops][flatten]") {
  const auto x = test::random<float>(Shape{2, 3, 4, 5});
  const auto y = flatten(x);
  CHECK(y.shape() == Shape{2, 60});
  CHECK(y.data() == x.data());
  CHECK(flatten(Tensor<float, 2>::ones(Shape{4, 7})).shape() == Shape{4, 7});
  CHECK(flatten(Tensor<float, 3>(Shape{0, 3, 2})).shape() == Shape{0, 6});
}

TEST_CASE("flatten: gradients", "[ops][flatten]") {
  CHECK_GRADIENTS(flatten, test::random<double>(Shape{2, 3, 2, 2}));
  CHECK_GRADIENTS(flatten, test::random<double>(Shape{1, 1, 1}));
}

TEST_CASE("flatten hands the gradient on without a copy", "[ops][flatten]") {
  Tape tape;
  const auto x = tape.watch(test::random<float>(Shape{2, 2, 3}));
  const auto y = flatten(x);
  const auto dy = test::random<float>(Shape{2, 6}, 3);
  backward(y, dy);
  CHECK(x.grad().shape() == Shape{2, 2, 3});
  CHECK(x.grad().data() == dy.data());
}
