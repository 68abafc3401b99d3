#include <ebb/ops/reduce/sum.hpp>

#include "tests/support/reductions.hpp"

using namespace ebb;

namespace {
constexpr auto reduce_sum = [](const auto&... arguments) { return sum(arguments...); };
}

TEST_CASE("sum: over everything, over axes, kept or not", "[ops][reduce]") {
  const Tensor<float, 2> x({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(sum(x).item() == 21);
  CHECK(sum(x, 0).values() == std::vector<float>{5, 7, 9});
  CHECK(sum(x, -1).values() == std::vector<float>{6, 15});
  CHECK(sum(Tensor<int, 1>({3}, {1, 2, 3})).item() == 6);
  CHECK(sum(Tensor<float, 0>(3)).item() == 3);
  test::check_reduction(reduce_sum, [](const auto& group) {
    long double total = 0;
    for (auto v : group) total += static_cast<long double>(v);
    return static_cast<double>(total);
  });
}

TEST_CASE("sum: of nothing is zero", "[ops][reduce]") {
  const Tensor<float, 2> x(Shape{0, 3});
  CHECK(sum(x).item() == 0);
  CHECK(sum(x, 0).values() == std::vector<float>{0, 0, 0});
  CHECK(sum(x, 1).shape() == Shape{0});
  CHECK(sum(Tensor<float, 3>(Shape{2, 0, 2}), Axes{0, 1}).values() == std::vector<float>{0, 0});
  Tape tape;
  const auto v = tape.watch(x);
  backward(sum(v));
  CHECK(v.grad().shape() == x.shape());
}

TEST_CASE("sum: floats keep their digits over millions", "[ops][reduce]") {
  // One after the other, ten million times 0.1f adds up to 1087937.
  const auto x = Tensor<float, 1>::full(Shape{10000000}, 0.1f);
  CHECK(std::abs(sum(x).item() / 1e6f - 1) < 1e-6f);
  const auto columns = Tensor<float, 2>::full(Shape{2000000, 3}, 0.1f);
  for (float y : sum(columns, 0).values()) CHECK(std::abs(y / 2e5f - 1) < 1e-6f);
  const auto rows = Tensor<float, 2>::full(Shape{2, 1000003}, 0.1f);
  for (float y : sum(rows, 1).values()) CHECK(std::abs(y / 100000.3f - 1) < 1e-6f);
}

TEST_CASE("sum: errors", "[ops][reduce]") { test::check_axis_errors("sum", reduce_sum); }
