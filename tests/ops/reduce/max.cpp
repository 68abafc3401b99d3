#include <ebb/ops/reduce/max.hpp>

#include "tests/support/reductions.hpp"

#include <algorithm>

using namespace ebb;

namespace {
constexpr auto reduce_max = [](const auto&... arguments) { return max(arguments...); };
constexpr auto reduce_min = [](const auto&... arguments) { return min(arguments...); };

template <class F, int N>
std::vector<double> slopes(F f, const Tensor<double, N>& x) {
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = f(v);
  backward(y, std::remove_cvref_t<decltype(y.value())>::ones(y.shape()));
  return v.grad().values();
}
}  // namespace

TEST_CASE("max and min: over everything, over axes, kept or not", "[ops][reduce]") {
  const Tensor<float, 2> x({2, 3}, {1, -5, 3, 4, 2, -6});
  CHECK(max(x).item() == 4);
  CHECK(min(x).item() == -6);
  CHECK(max(x, 0).values() == std::vector<float>{4, 2, 3});
  CHECK(min(x, -1, keep_axis).values() == std::vector<float>{-5, -6});
  test::check_reduction(reduce_max, [](const auto& group) {
    return static_cast<double>(*std::max_element(group.begin(), group.end()));
  });
  test::check_reduction(reduce_min, [](const auto& group) {
    return static_cast<double>(*std::min_element(group.begin(), group.end()));
  });
}

TEST_CASE("max and min: ties share the gradient evenly", "[ops][reduce]") {
  // x = torch.tensor([[1., 3., 3.], [3., 0., 0.]], requires_grad=True)
  // x.amax().backward(), x.amax(1).sum().backward(), x.amax(0).sum().backward(), x.amin(1).sum()...
  const Tensor<double, 2> x({2, 3}, {1, 3, 3, 3, 0, 0});
  const double third = 1.0 / 3;
  CHECK(slopes([](const auto& v) { return max(v); }, x) ==
        std::vector<double>{0, third, third, third, 0, 0});
  CHECK(slopes([](const auto& v) { return max(v, 1); }, x) ==
        std::vector<double>{0, 0.5, 0.5, 1, 0, 0});
  CHECK(slopes([](const auto& v) { return max(v, 0); }, x) ==
        std::vector<double>{0, 1, 1, 1, 0, 0});
  CHECK(slopes([](const auto& v) { return min(v, 1, keep_axis); }, x) ==
        std::vector<double>{1, 0, 0, 0, 0.5, 0.5});
}

TEST_CASE("max and min: nan wins, infinities count", "[ops][reduce]") {
  const Tensor<double, 2> x({2, 3}, {1, NAN, 3, -INFINITY, -INFINITY, -INFINITY});
  CHECK(std::isnan(max(x).item()));
  CHECK(std::isnan(min(x, 1)(0)));
  CHECK(max(x, 1)(1) == -INFINITY);
  std::vector<float> many(5000, 1.0f);
  many[1234] = NAN;
  CHECK(std::isnan(max(Tensor<float, 1>::from(Shape{5000}, many)).item()));
  // x.amax(1).sum().backward(): nan, nan, nan, 0.3333, 0.3333, 0.3333
  const auto dx = slopes([](const auto& v) { return max(v, 1); }, x);
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::isnan(dx[i]));
  for (std::size_t i = 3; i < 6; ++i) CHECK(dx[i] == 1.0 / 3);
}

TEST_CASE("max and min: errors", "[ops][reduce]") {
  test::check_axis_errors("max", reduce_max);
  test::check_axis_errors("min", reduce_min);
  test::check_empty_errors("max", reduce_max);
  test::check_empty_errors("min", reduce_min);
}
