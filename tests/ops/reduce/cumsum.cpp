#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/reduce/cumsum/cumsum.hpp>
#include <ebb/ops/reduce/sum.hpp>
#include <ebb/tape/backward.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

TEST_CASE("cumsum: running sums along each axis", "[ops][reduce]") {
  // x = torch.tensor([[1., 2., 4.], [8., 16., 32.]], requires_grad=True)
  // x.cumsum(1), x.cumsum(0)
  const Tensor<float, 2> x({2, 3}, {1, 2, 4, 8, 16, 32});
  CHECK(cumsum(x).values() == std::vector<float>{1, 3, 7, 8, 24, 56});
  CHECK(cumsum(x, 0).values() == std::vector<float>{1, 2, 4, 9, 18, 36});
  CHECK(cumsum(Tensor<int, 1>({3}, {1, 2, 3})).values() == std::vector<int>{1, 3, 6});
  CHECK(cumsum(Tensor<float, 2>(Shape{0, 3}), 0).size() == 0);
  CHECK(cumsum(Tensor<float, 2>(Shape{3, 0})).size() == 0);
  // 16777216 + 1 is 16777216 in float; sums are gathered in double:
  // torch.tensor([16777216., 1., 1.]).cumsum(0) -> [16777216., 16777216., 16777218.]
  CHECK(cumsum(Tensor<float, 1>({3}, {16777216, 1, 1})).values() ==
        std::vector<float>{16777216, 16777216, 16777218});
}

TEST_CASE("cumsum: every place is the sum up to there", "[ops][reduce]") {
  for (const Shape<3> shape : {Shape{3, 50, 70}, Shape{40, 5, 1}, Shape{2, 3000, 1}})
    for (const int axis : {0, 1, 2}) {
      const auto x = test::fill(shape);  // whose sums are exact
      const auto y = cumsum(x, axis);
      bool right = true;
      for (Index i = 0; i < shape[0]; ++i)
        for (Index j = 0; j < shape[1]; ++j)
          for (Index k = 0; k < shape[2]; ++k) {
            const Index before[] = {i - (axis == 0), j - (axis == 1), k - (axis == 2)};
            const bool first = before[axis] < 0;
            right = right &&
                    y(i, j, k) == (first ? 0 : y(before[0], before[1], before[2])) + x(i, j, k);
          }
      INFO("axis " << axis << " of " << to_string(shape));
      CHECK(right);
      test::check_threads([&] { return cumsum(x, axis); });
    }
}

TEST_CASE("cumsum: gradients", "[ops][reduce]") {
  for (const int axis : {0, 1, 2})
    for (const Shape<3> shape : {Shape{1, 1, 1}, Shape{3, 2, 5}, Shape{2, 7, 1}})
      CHECK_GRADIENTS([axis](const auto& v) { return cumsum(v, axis); },
                      test::random<double>(shape, 3));
  // x = torch.tensor([1., 2., 4.], requires_grad=True); c = torch.tensor([1., 10., 100.])
  // torch.dot(x.cumsum(0), c).backward(); x.grad -> [111., 110., 100.]; a second time, it adds
  const Tensor<float, 1> c({3}, {1, 10, 100});
  Tape tape;
  const auto x = tape.watch(Tensor<float, 1>({3}, {1, 2, 4}));
  backward(sum(cumsum(x) * c) + sum(cumsum(x) * c));
  CHECK(x.grad().values() == std::vector<float>{222, 220, 200});
}

TEST_CASE("cumsum: an axis that is not there", "[ops][reduce]") {
  CHECK(test::contains(test::error_of<ShapeError>([] { cumsum(Tensor<float, 1>(Shape{3}), 1); }),
                       "cumsum: axis 1 is out of range"));
}
