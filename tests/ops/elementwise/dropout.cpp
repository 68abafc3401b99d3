#include <ebb/ops/elementwise/dropout.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

TEST_CASE("dropout keeps 1 - p of the elements, divided by 1 - p", "[ops][dropout]") {
  const auto x = test::random<float>(Shape{50, 2001}, 1, 1, 2);
  for (const double p : {0.1, 0.5, 0.9}) {
    const auto y = dropout(x, p, {3, 4});
    Index kept = 0;
    bool scaled = true;
    for (Index i = 0; i < x.size(); ++i) {
      if (y.data()[i] == 0) continue;
      ++kept;
      scaled = scaled && std::fabs(y.data()[i] * static_cast<float>(1 - p) - x.data()[i]) < 1e-6f;
    }
    CHECK(scaled);
    // A binomial count stays within five standard deviations but once in two million draws.
    const double n = static_cast<double>(x.size()), expected = n * (1 - p);
    CHECK(std::fabs(static_cast<double>(kept) - expected) < 5 * std::sqrt(n * p * (1 - p)));
  }
}

TEST_CASE("dropout leaves the mean where it was", "[ops][dropout]") {
  const auto x = Tensor<double, 1>::ones(Shape{100000});
  const auto y = dropout(x, 0.25, {1, 2});
  double sum = 0;
  for (Index i = 0; i < y.size(); ++i) sum += y.data()[i];
  const double deviation = std::sqrt(0.25 / 0.75 / 100000.0);  // of the mean of the scaled mask
  CHECK(std::fabs(sum / 100000 - 1) < 5 * deviation);
}

TEST_CASE("dropout: neighbours are independent", "[ops][dropout]") {
  const auto y = dropout(Tensor<float, 1>::ones(Shape{100000}), 0.5, {7, 0});
  for (const Index lag : {1, 2, 3, 4, 8}) {
    Index alike = 0;
    for (Index i = 0; i + lag < y.size(); ++i) alike += (y(i) == 0) == (y(i + lag) == 0);
    const double n = static_cast<double>(y.size() - lag);
    CHECK(std::fabs(static_cast<double>(alike) - n / 2) < 5 * std::sqrt(n / 4));
  }
}

TEST_CASE("dropout: a stream is a mask", "[ops][dropout]") {
  const auto x = test::random<float>(Shape{33, 77}, 1, 1, 2);
  const RandomStream stream{11, 5};
  CHECK(test::same_bits(dropout(x, 0.5, stream), dropout(x, 0.5, stream)));
  CHECK_FALSE(test::same_bits(dropout(x, 0.5, stream), dropout(x, 0.5, {11, 6})));
  CHECK_FALSE(test::same_bits(dropout(x, 0.5, stream), dropout(x, 0.5, {12, 5})));
  const auto mask = kernel::DropoutMask::of(stream, 0.5);
  const auto y = dropout(x, 0.5, stream);
  for (Index i = 0; i < x.size(); ++i)
    REQUIRE((y.data()[i] != 0) == mask.keeps(stream.bits(static_cast<std::uint64_t>(i))));
}

TEST_CASE("dropout: the default generator, restarted, repeats itself", "[ops][dropout]") {
  const auto x = test::random<float>(Shape{100}, 1, 1, 2);
  manual_seed(5);
  const auto first = dropout(x, 0.5), second = dropout(x, 0.5);
  manual_seed(5);
  CHECK(test::same_bits(dropout(x, 0.5), first));
  CHECK_FALSE(test::same_bits(first, second));
  manual_seed(0);
}

TEST_CASE("dropout: at 0 nothing is dropped, at 1 everything; nan is not hidden",
          "[ops][dropout]") {
  const auto x = test::random<double>(Shape{50}, 1, 1, 2);
  CHECK(test::same_bits(dropout(x, 0.0, {1, 1}), x));
  CHECK(dropout(x, 1.0, {1, 1}).values() == std::vector<double>(50, 0.0));
  const auto bad = Tensor<double, 1>::full(Shape{50}, NAN);
  const auto dropped = dropout(bad, 0.5, {1, 1});
  for (Index i = 0; i < 50; ++i) REQUIRE(std::isnan(dropped(i)));
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = dropout(v, 1.0, {1, 1});
  backward(y, Tensor<double, 1>::ones(y.shape()));
  CHECK(v.grad().values() == std::vector<double>(50, 0.0));
}

TEST_CASE("dropout: probabilities outside [0, 1]", "[ops][dropout]") {
  const auto x = test::random<float>(Shape{3});
  CHECK(test::error_of<ValueError>([&] { dropout(x, 1.5, {}); }) ==
        "dropout: the probability of dropping is 1.5; it must be at least 0 and at most 1");
  CHECK(contains(test::error_of<ValueError>([&] { dropout(x, -0.1, {}); }), "is -0.1"));
  CHECK(contains(test::error_of<ValueError>([&] { dropout(x, NAN, {}); }), "is nan"));
}

TEST_CASE("dropout: gradients", "[ops][dropout]") {
  const auto f = [](const auto& x) { return dropout(x, 0.4, {2, 9}); };
  CHECK_GRADIENTS(f, test::random<double>(Shape{5, 7}));
  CHECK_GRADIENTS(f, test::random<double>(Shape{2, 2, 2, 3}));
}

TEST_CASE("dropout: the gradient passes exactly where the value did, and adds up",
          "[ops][dropout]") {
  Tape tape;
  const auto x = tape.watch(Tensor<double, 1>::ones(Shape{101}));
  const auto a = dropout(x, 0.5, {1, 1}), b = dropout(x, 0.5, {1, 2});
  const auto ones = Tensor<double, 1>::ones(Shape{101});
  backward(a, ones, Retain::yes);
  backward(b, ones, Retain::yes);
  for (Index i = 0; i < 101; ++i) REQUIRE(x.grad()(i) == a.value()(i) + b.value()(i));
}

TEST_CASE("dropout: any number of threads", "[ops][dropout]") {
  const auto x = test::random<float>(Shape{300001});
  CHECK(test::same_for_any_threads([&] { return dropout(x, 0.3, {1, 1}); }));
}

TEST_CASE("dropout: dual numbers", "[ops][dropout]") {
  const auto x = Tensor<Dual<double>, 1>::full(Shape{20}, Dual<double>(1, 3));
  const auto y = dropout(x, 0.5, {1, 1});
  Index kept = 0;
  for (Index i = 0; i < 20; ++i) {
    REQUIRE(y(i).tangent == 3 * y(i).value);
    kept += y(i).value == 2;
  }
  CHECK(kept > 0);
}
