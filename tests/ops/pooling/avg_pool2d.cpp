#include <ebb/ops/pooling/avg_pool2d.hpp>

#include "tests/support/pooling.hpp"

using namespace ebb;
using test::contains;
using test::difference;

namespace {
void check_counting(bool include_pad, const std::vector<double>& y, const std::vector<double>& dx) {
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{1, 2, 5, 6}));
  const auto pooled = avg_pool2d(x, {.kernel = 3,
                                     .stride = 2,
                                     .padding = 1,
                                     .ceil_mode = true,
                                     .count_include_pad = include_pad});
  REQUIRE(pooled.shape() == Shape{1, 2, 3, 4});
  CHECK(difference(pooled.value(), y) < 1e-14);
  backward(pooled, test::ramp<double>(pooled.shape()));
  CHECK(difference(x.grad(), dx) < 1e-14);
}
}  // namespace

// x = ramp(1, 2, 5, 6).requires_grad_()
// y = F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=...)
// y.backward(ramp(*y.shape))
TEST_CASE("avg_pool2d: the values of PyTorch", "[ops][pool]") {
  check_counting(true,
                 {0.138888888888889,
                  0.277777777777778,
                  0.166666666666667,
                  -0.25,
                  0.166666666666667,
                  0.277777777777778,
                  0.111111111111111,
                  0.166666666666667,
                  0.083333333333333,
                  0.194444444444444,
                  0.083333333333333,
                  0.166666666666667,
                  0.25,
                  0.138888888888889,
                  0.027777777777778,
                  -0.166666666666667,
                  0.333333333333333,
                  0.222222222222222,
                  0.361111111111111,
                  0.291666666666667,
                  -0.111111111111111,
                  0.055555555555556,
                  0.25,
                  0.25},
                 {-0.111111111111111,
                  -0.027777777777778,
                  0.083333333333333,
                  0.055555555555556,
                  -0.027777777777778,
                  0.222222222222222,
                  -0.055555555555556,
                  -0.027777777777778,
                  0.027777777777778,
                  0.138888888888889,
                  0.111111111111111,
                  0.402777777777778,
                  0.055555555555556,
                  0,
                  -0.055555555555556,
                  0.083333333333333,
                  0.138888888888889,
                  0.180555555555556,
                  -0.027777777777778,
                  0.027777777777778,
                  0.055555555555556,
                  0.194444444444444,
                  0.138888888888889,
                  0.013888888888889,
                  -0.083333333333333,
                  0.027777777777778,
                  0.111111111111111,
                  0.111111111111111,
                  0,
                  -0.166666666666667,
                  0.083333333333333,
                  0.055555555555556,
                  -0.027777777777778,
                  0.138888888888889,
                  0.166666666666667,
                  0.25,
                  0.027777777777778,
                  0.138888888888889,
                  0.111111111111111,
                  0.305555555555556,
                  0.194444444444444,
                  0.152777777777778,
                  -0.055555555555556,
                  0.083333333333333,
                  0.138888888888889,
                  0.166666666666667,
                  0.027777777777778,
                  -0.097222222222222,
                  0.055555555555556,
                  0.194444444444444,
                  0.138888888888889,
                  0.055555555555556,
                  -0.083333333333333,
                  -0.083333333333333,
                  0.111111111111111,
                  0.111111111111111,
                  0,
                  -0.111111111111111,
                  -0.111111111111111,
                  0.013888888888889});
  check_counting(false,
                 {0.3125,
                  0.416666666666667,
                  0.25,
                  -0.75,
                  0.25,
                  0.277777777777778,
                  0.111111111111111,
                  0.333333333333333,
                  0.1875,
                  0.291666666666667,
                  0.125,
                  0.5,
                  0.5625,
                  0.208333333333333,
                  0.041666666666667,
                  -0.5,
                  0.5,
                  0.222222222222222,
                  0.361111111111111,
                  0.583333333333333,
                  -0.25,
                  0.083333333333333,
                  0.375,
                  0.75},
                 {-0.25,
                  -0.125,
                  0.125,
                  0.083333333333333,
                  -0.041666666666667,
                  0.708333333333333,
                  -0.166666666666667,
                  -0.097222222222222,
                  0.069444444444444,
                  0.166666666666667,
                  0.097222222222222,
                  0.930555555555556,
                  0.083333333333333,
                  0.027777777777778,
                  -0.055555555555556,
                  0.083333333333333,
                  0.138888888888889,
                  0.222222222222222,
                  -0.104166666666667,
                  0.006944444444444,
                  0.111111111111111,
                  0.25,
                  0.138888888888889,
                  -0.277777777777778,
                  -0.1875,
                  -0.020833333333333,
                  0.166666666666667,
                  0.166666666666667,
                  0,
                  -0.5,
                  0.1875,
                  0.145833333333333,
                  -0.041666666666667,
                  0.208333333333333,
                  0.25,
                  0.5,
                  0.104166666666667,
                  0.201388888888889,
                  0.097222222222222,
                  0.375,
                  0.277777777777778,
                  0.277777777777778,
                  -0.083333333333333,
                  0.055555555555556,
                  0.138888888888889,
                  0.166666666666667,
                  0.027777777777778,
                  -0.222222222222222,
                  0.166666666666667,
                  0.305555555555556,
                  0.138888888888889,
                  0,
                  -0.138888888888889,
                  -0.013888888888889,
                  0.25,
                  0.25,
                  0,
                  -0.166666666666667,
                  -0.166666666666667,
                  0.208333333333333});
}

// F.avg_pool2d(ramp(1, 1, 4, 4), 3, stride=2, padding=1, ceil_mode=True, divisor_override=5)
TEST_CASE("avg_pool2d: a divisor of one's own, as PyTorch", "[ops][pool]") {
  const auto y = avg_pool2d(
      test::ramp<double>(Shape{1, 1, 4, 4}),
      {.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true, .divisor_override = 5});
  REQUIRE(y.shape() == Shape{1, 1, 3, 3});
  CHECK(difference(y, {-0.05, 0.6, 0.35, 0.15, 0.55, -0.05, 0.1, 0.35, 0.1}) < 1e-14);
}

TEST_CASE("avg_pool2d: windows that do not fit", "[ops][pool]") {
  const auto x = test::random<float>(Shape{1, 2, 4, 5});
  CHECK(
      contains(test::error_of<ShapeError>([&] {
                 avg_pool2d(x, {.kernel = {2, 6}});
               }),
               "avg_pool2d: a window of 6 does not fit into the width of the input (1, 2, 4, 5)"));
  CHECK(contains(test::error_of<ValueError>([&] { avg_pool2d(x, {.kernel = 3, .padding = 2}); }),
                 "avg_pool2d: padding 2 is more than half the kernel"));
  CHECK(contains(
      test::error_of<ValueError>([&] { avg_pool2d(x, {.kernel = 2, .divisor_override = -1}); }),
      "divisor_override is -1"));
  CHECK(contains(test::error_of<ShapeError>([] {
                   avg_pool2d(Tensor<float, 4>(Shape{1, 2, 0, 4}), 2);
                 }),
                 "has empty images"));
}

namespace {
template <class T>
double worst_against_reference() {
  double worst = 0;
  test::each_random_window(
      "avg_pool2d", 12, 1,
      [&](kernel::Pool2dGeometry g, const Shape<4>& shape, std::uint64_t seed, const auto& draw) {
        g.count_include_pad = draw(0, 1) == 1;
        const auto x = test::random<T>(shape, seed);
        const Shape<4> out{shape[0], shape[1], g.y.out, g.x.out};
        const Tensor<T, 4> y(out), expected(out);
        avg_pool2d_forward(Cpu{}, g, x.view(), y.mut());
        kernel::reference::avg_pool2d_forward(g, x.view(), expected.mut());
        worst = std::fmax(worst, difference(y, expected));
        for (const bool add : {false, true}) {
          const auto dx = test::random<T>(shape, 3), expected_dx = dx.clone();
          avg_pool2d_backward(Cpu{}, g, y.view(), Into<T, 4>{dx.mutable_data(), shape, add});
          kernel::reference::avg_pool2d_backward(
              g, y.view(), Into<T, 4>{expected_dx.mutable_data(), shape, add});
          worst = std::fmax(worst, difference(dx, expected_dx));
        }
      });
  return worst;
}
}  // namespace

TEST_CASE("avg_pool2d: the fast kernels are the reference", "[ops][pool]") {
  CHECK(worst_against_reference<float>() < 1e-6);
  CHECK(worst_against_reference<double>() < 1e-15);
}

TEST_CASE("avg_pool2d: gradients", "[ops][pool]") {
  const auto pool = [](const auto& x, const auto& options) { return avg_pool2d(x, options); };
  test::check_pool_gradients<AvgPool2dOptions>(
      pool, {.kernel = 3, .stride = 2, .padding = 1, .divisor_override = 4}, Shape{1, 1, 6, 7});
  const AvgPool2dOptions inside{.kernel = 2, .ceil_mode = true, .count_include_pad = false};
  CHECK_GRADIENTS([&](const auto& x) { return pool(x, inside); },
                  test::random<double>(Shape{1, 1, 5, 5}));
}

TEST_CASE("avg_pool2d: any number of threads", "[ops][pool]") {
  test::check_pool_threads(
      [](const auto& x) { return avg_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1}); });
}

TEST_CASE("avg_pool2d: dual numbers", "[ops][pool]") {
  CHECK(test::tangent_of_two([](const auto& x) { return avg_pool2d(x, {.kernel = {1, 2}}); }) == 3);
}
