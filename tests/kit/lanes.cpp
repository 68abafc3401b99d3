#include <ebb/kit/lanes.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

namespace {

using namespace ebb;

/// The moments of n numbers against those taken in two passes in long double. What may be off is a
/// share of the variance, and of the mean.
template <class T>
void check_moments(const Tensor<T, 1>& x, double tolerance) {
  using W = kernel::detail::Wide<T>;
  const Index n = x.size();
  long double mean = 0, squares = 0;
  for (Index i = 0; i < n; ++i) mean += static_cast<long double>(x(i));
  mean /= static_cast<long double>(n);
  for (Index i = 0; i < n; ++i) {
    const long double d = static_cast<long double>(x(i)) - mean;
    squares += d * d;
  }
  kernel::detail::Moments<W> got;
  kernel::vector_for(1, 0, [&](Index) { got = kernel::detail::Moments<W>::of(x.data(), n); });
  const auto exact = static_cast<double>(squares);
  CHECK(got.count == static_cast<W>(n));
  CHECK(std::abs(static_cast<double>(got.squares) - exact) <= tolerance * exact);
  CHECK(std::abs(static_cast<double>(got.mean) - static_cast<double>(mean)) <=
        tolerance * (std::sqrt(exact / static_cast<double>(n)) + std::abs(double(mean)) * 1e-3));
}

template <class T>
void check_lengths(double tolerance) {
  for (Index n = 1; n < 300; ++n) {
    INFO(n << " numbers");
    const auto x = test::random<T>(Shape{n}, 1), y = test::random<T>(Shape{n}, 2);
    double sum = 0, dot = 0;
    for (Index i = 0; i < n; ++i) {
      sum += static_cast<double>(x(i));
      dot += static_cast<double>(x(i)) * static_cast<double>(y(i));
    }
    kernel::detail::Sums<double> got;
    kernel::vector_for(1, 0, [&, a = x.data(), b = y.data()](Index) {
      got = kernel::detail::lane_sums<double>(
          n, [a](Index i) { return a[i]; }, [b](Index i) { return b[i]; });
    });
    CHECK(std::abs(got.sum - sum) < tolerance * static_cast<double>(n));
    CHECK(std::abs(got.dot - dot) < tolerance * static_cast<double>(n));
    check_moments(x, 100 * tolerance);
  }
}

}  // namespace

TEST_CASE("two sums in one pass are right for every length") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    check_lengths<float>(1e-7);
    check_lengths<double>(1e-15);
  });
}

TEST_CASE("moments hold where the mean is large, and where a piece begins unlike the rest") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    for (const Index n : {49, 196, 3136, 4096, 10000}) {
      INFO(n << " numbers");
      Tensor<float, 1> x = test::random<float>(Shape{n}, 3, -1, 1);
      for (Index i = 0; i < n; ++i) x.mutable_data()[i] += 1e4f;
      check_moments(x, 1e-5);
      for (Index i = 0; i < n; ++i) x.mutable_data()[i] = i < n / 64 ? -1e3f : x(i);
      check_moments(x, 1e-4);
      x.mutable_data()[0] = 1e6f;
      check_moments(x, 1e-4);
      const auto level = Tensor<float, 1>::full(Shape{n}, 0.1f);
      CHECK(kernel::detail::Moments<double>::of(level.data(), n).squares < 1e-12);
    }
  });
}
