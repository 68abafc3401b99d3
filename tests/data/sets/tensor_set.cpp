#include <ebb/data/sets/tensor_set.hpp>

#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

TEST_CASE("a set of tensors gives samples and batches of them") {
  const TensorSet set(Tensor<float, 3>({3, 1, 2}, {0, 1, 2, 3, 4, 5}),
                      Tensor<int, 1>({3}, {7, 8, 9}));
  CHECK(set.size() == 3);
  const auto [x, y] = set.get(1);
  static_assert(std::is_same_v<decltype(x), const Tensor<float, 2>>);
  CHECK(x.shape() == Shape{1, 2});
  CHECK(x.values() == std::vector<float>{2, 3});
  CHECK(y == 8);
  const std::vector<Index> samples{2, 0, 2};
  const auto [xs, ys] = set.batch(samples);
  CHECK(xs.shape() == Shape{3, 1, 2});
  CHECK(xs.values() == std::vector<float>{4, 5, 0, 1, 4, 5});
  CHECK(ys.values() == std::vector<int>{9, 7, 9});
  x(0, 0) = 100;  // a copy
  CHECK(std::get<0>(set.tensors())(1, 0, 0) == 2);
}

TEST_CASE("a set of tensors refuses what does not fit") {
  CHECK(contains(error_of<ShapeError>([] {
                   TensorSet(Tensor<float, 2>({3, 2}), Tensor<int, 1>({4}));
                 }),
                 "tensors of shapes (3, 2), (4) were given"));
  CHECK_THROWS_AS(TensorSet(Tensor<float, 2>()), ValueError);
  const TensorSet set(Tensor<int, 1>({3}, {7, 8, 9}));
  CHECK(contains(error_of<ValueError>([&] { set.get(3); }), "there is no sample 3; there are 3"));
  const std::vector<Index> samples{0, -1};
  CHECK(contains(error_of<ValueError>([&] { set.batch(samples); }), "there is no sample -1"));
}
