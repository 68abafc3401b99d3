#include <ebb/ops/reduce/variance.hpp>

#include "tests/support/reductions.hpp"

using namespace ebb;

namespace {
constexpr auto unbiased = [](const auto&... arguments) { return variance(arguments...); };
constexpr auto biased = [](const auto&... arguments) {
  return variance(arguments..., Unbiased::no);
};

template <int correction>
double two_pass(const std::vector<double>& group) {
  long double total = 0, squares = 0;
  for (double v : group) total += v;
  const long double n = static_cast<long double>(group.size()), mean = total / n;
  for (double v : group) squares += (v - mean) * (v - mean);
  return static_cast<double>(squares / (n - correction));
}
}  // namespace

TEST_CASE("variance: over everything, over axes, kept or not", "[ops][reduce]") {
  // x = torch.tensor([[1., 2., 4.], [3., -5., 6.]]); x.var(), x.var(1), x.var(0, unbiased=False)
  const Tensor<double, 2> x({2, 3}, {1, 2, 4, 3, -5, 6});
  CHECK(std::abs(variance(x).item() - 14.166666666666668) < 1e-14);
  CHECK(test::difference(variance(x, 1),
                         std::vector<double>{2.333333333333333, 32.33333333333333}) < 1e-14);
  CHECK(test::difference(variance(x, 0, Unbiased::no), std::vector<double>{1.0, 12.25, 1.0}) <
        1e-14);
  test::check_reduction(unbiased, two_pass<1>);
  test::check_reduction(biased, two_pass<0>);
}

TEST_CASE("variance: a large mean does not swallow it", "[ops][reduce]") {
  Tensor<float, 1> x(Shape{100000});
  for (Index i = 0; i < x.size(); ++i) x(i) = 10000.0f + static_cast<float>(i % 2);
  CHECK(std::abs(variance(x, Unbiased::no).item() - 0.25f) < 1e-4f);
}

TEST_CASE("variance: of nothing it is not a number, as the mean is", "[ops][reduce]") {
  // torch.zeros(0, 3).var(), .var(0), .var(0, unbiased=False), .var(1), in PyTorch 2.15, which
  // warns of too few degrees of freedom.
  const Tensor<float, 2> x(Shape{0, 3});
  for (const Unbiased unbias : {Unbiased::yes, Unbiased::no}) {
    CHECK(std::isnan(variance(x, unbias).item()));
    const auto columns = variance(x, 0, unbias).values();
    REQUIRE(columns.size() == 3);
    for (const float v : columns) CHECK(std::isnan(v));
    CHECK(variance(x, 1, unbias).shape() == Shape{0});
    Tape tape;
    const auto v = tape.watch(x);
    backward(variance(v, unbias));
    CHECK(v.grad().shape() == x.shape());
  }
  CHECK(variance(Tensor<float, 2>(Shape{0, 1}), 1).shape() == Shape{0});
}

TEST_CASE("variance: errors", "[ops][reduce]") {
  test::check_axis_errors("variance", unbiased);
  const Tensor<float, 2> x({3, 1}, {1, 2, 3});
  CHECK(
      test::contains(test::error_of<ShapeError>([&] { variance(x, 1); }),
                     "variance: the unbiased variance divides by the number of elements less one, "
                     "and a tensor of shape (3, 1) has one per result; pass ebb::Unbiased::no"));
  CHECK(variance(x, 1, Unbiased::no).values() == std::vector<float>{0, 0, 0});
}
