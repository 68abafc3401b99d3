#include <ebb/ops/pooling/adaptive_avg_pool2d.hpp>

#include "tests/support/pooling.hpp"

using namespace ebb;
using test::contains;
using test::difference;

// x = ramp(1, 2, 5, 6).requires_grad_()
// y = F.adaptive_avg_pool2d(x, (3, 4)); y.backward(ramp(*y.shape))
TEST_CASE("adaptive_avg_pool2d: the values of PyTorch", "[ops][pool]") {
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{1, 2, 5, 6}));
  const auto y = adaptive_avg_pool2d(x, {3, 4});
  REQUIRE(y.shape() == Shape{1, 2, 3, 4});
  CHECK(difference(y.value(), {0.3125,  0,
                               0.75,    -0.25,
                               0.25,    0.166666666666667,
                               0,       -0.083333333333333,
                               0.1875,  0.5625,
                               -0.0625, 0.3125,
                               0.5625,  0.25,
                               0.3125,  0,
                               0.5,     -0.041666666666667,
                               0.25,    0.166666666666667,
                               -0.25,   0.125,
                               0.1875,  0.5625}) < 1e-14);
  backward(y, test::ramp<double>(y.shape()));
  CHECK(difference(x.grad(), {-0.25,
                              -0.0625,
                              0.1875,
                              -0.0625,
                              0.3125,
                              0.375,
                              -0.166666666666667,
                              -0.0625,
                              0.104166666666667,
                              0.145833333333333,
                              0.5625,
                              0.416666666666667,
                              0.083333333333333,
                              0,
                              -0.083333333333333,
                              0.208333333333333,
                              0.25,
                              0.041666666666667,
                              -0.104166666666667,
                              0.0625,
                              0.166666666666667,
                              0.208333333333333,
                              0,
                              -0.208333333333333,
                              -0.1875,
                              0.0625,
                              0.25,
                              0,
                              -0.25,
                              -0.25,
                              0.1875,
                              0.125,
                              -0.0625,
                              0.375,
                              0.5,
                              0.125,
                              0.104166666666667,
                              0.25,
                              0.145833333333333,
                              0.416666666666667,
                              0.416666666666667,
                              0,
                              -0.083333333333333,
                              0.125,
                              0.208333333333333,
                              0.041666666666667,
                              -0.083333333333333,
                              -0.125,
                              0.166666666666667,
                              0.375,
                              0.208333333333333,
                              -0.208333333333333,
                              -0.145833333333333,
                              0.0625,
                              0.25,
                              0.25,
                              0,
                              -0.25,
                              -0.0625,
                              0.1875}) < 1e-14);
}

TEST_CASE("adaptive_avg_pool2d: to its own size it changes nothing, to more it repeats",
          "[ops][pool]") {
  const auto x = test::random<double>(Shape{2, 2, 3, 4});
  CHECK(test::same_bits(adaptive_avg_pool2d(x, {3, 4}), x));
  const auto y = adaptive_avg_pool2d(x, {6, 8});
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 8; ++j) REQUIRE(y(1, 1, i, j) == x(1, 1, i / 2, j / 2));
}

TEST_CASE("global_avg_pool2d: the mean of every plane", "[ops][pool]") {
  const auto x = test::random<double>(Shape{2, 3, 5, 7});
  const auto y = global_avg_pool2d(x);
  REQUIRE(y.shape() == Shape{2, 3, 1, 1});
  double sum = 0;
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 7; ++j) sum += x(1, 2, i, j);
  CHECK(std::fabs(y(1, 2, 0, 0) - sum / 35) < 1e-15);
}

TEST_CASE("global_avg_pool2d: a million floats lose nothing", "[ops][pool]") {
  const auto x = test::random<float>(Shape{1, 1, 1000, 1000}, 3, 1000, 1001);
  double sum = 0;
  for (Index i = 0; i < x.size(); ++i) sum += static_cast<double>(x.data()[i]);
  const double mean = sum / 1e6;
  CHECK(std::fabs(static_cast<double>(global_avg_pool2d(x).item()) - mean) < mean * 1.2e-7);
}

TEST_CASE("adaptive_avg_pool2d: sizes that make no sense", "[ops][pool]") {
  const auto x = test::random<float>(Shape{1, 2, 4, 5});
  CHECK(test::error_of<ValueError>([&] {
          adaptive_avg_pool2d(x, {0, 2});
        }) ==
        "adaptive_avg_pool2d: the output size 0x2 is empty; height and width must be at least 1");
  CHECK(contains(test::error_of<ShapeError>([] {
                   global_avg_pool2d(Tensor<float, 4>(Shape{1, 2, 0, 4}));
                 }),
                 "global_avg_pool2d: the input (1, 2, 0, 4) has empty images"));
}

namespace {
template <class T>
double worst_against_reference() {
  const RandomStream random{13, 0};
  std::uint64_t at = 0;
  double worst = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const auto draw = [&](Index low, Index high) {
      return low + random.below(high - low + 1, at++);
    };
    const Shape<4> shape{draw(1, 2), draw(1, 3), draw(1, 20), draw(1, 30)};
    const Size2 size =
        trial % 5 == 0 ? Size2(1) : Size2(draw(1, shape[2] + 2), draw(1, shape[3] + 2));
    const auto g = kernel::AdaptivePoolGeometry::of("adaptive_avg_pool2d", shape, size);
    const auto x = test::random<T>(shape, at);
    const Shape<4> out{shape[0], shape[1], size.height, size.width};
    const Tensor<T, 4> y(out), expected(out);
    adaptive_avg_pool2d_forward(Cpu{}, g, x.view(), y.mut());
    kernel::reference::adaptive_avg_pool2d_forward(g, x.view(), expected.mut());
    worst = std::fmax(worst, difference(y, expected));
    for (const bool add : {false, true}) {
      const auto dx = test::random<T>(shape, 3), expected_dx = dx.clone();
      adaptive_avg_pool2d_backward(Cpu{}, g, y.view(), Into<T, 4>{dx.mutable_data(), shape, add});
      kernel::reference::adaptive_avg_pool2d_backward(
          g, y.view(), Into<T, 4>{expected_dx.mutable_data(), shape, add});
      worst = std::fmax(worst, difference(dx, expected_dx));
    }
  }
  return worst;
}
}  // namespace

TEST_CASE("adaptive_avg_pool2d: the fast kernels are the reference", "[ops][pool]") {
  CHECK(worst_against_reference<float>() < 1e-6);
  CHECK(worst_against_reference<double>() < 2e-15);
}

TEST_CASE("adaptive_avg_pool2d: gradients", "[ops][pool]") {
  const auto check = [](const Shape<4>& shape, Size2 size) {
    CHECK_GRADIENTS([&](const auto& x) { return adaptive_avg_pool2d(x, size); },
                    test::random<double>(shape));
  };
  check(Shape{2, 2, 5, 6}, {3, 4});
  check(Shape{1, 1, 1, 1}, 1);
  check(Shape{1, 2, 3, 3}, {5, 2});
  CHECK_GRADIENTS(global_avg_pool2d, test::random<double>(Shape{2, 2, 3, 4}));
}

TEST_CASE("adaptive_avg_pool2d: any number of threads", "[ops][pool]") {
  test::check_pool_threads([](const auto& x) { return global_avg_pool2d(x); });
  test::check_pool_threads([](const auto& x) { return adaptive_avg_pool2d(x, 7); });
}

TEST_CASE("global_avg_pool2d: dual numbers", "[ops][pool]") {
  CHECK(test::tangent_of_two(global_avg_pool2d) == 3);
}
