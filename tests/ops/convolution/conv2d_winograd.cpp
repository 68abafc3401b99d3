#include <ebb/ops/convolution/conv2d/conv2d.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

struct Case {
  Index batch, in, out;
  Size2 input, padding;
};

Case random_case(std::uint64_t seed) {
  const RandomStream draw{seed, 7};
  std::uint64_t i = 0;
  const auto from = [&](Index low, Index high) { return low + draw.below(high - low + 1, i++); };
  Case c{from(1, 5), from(1, 40), from(1, 70), {}, {from(0, 2), from(0, 2)}};
  if (seed % 20 == 0) c.in = from(175, 190), c.out = from(170, 190);  // weights beyond the cache
  if (seed % 10 == 5) c.batch = from(20, 40), c.in = from(1, 9);      // several images to a unit
  const auto extent = [&](Index padding) { return from(std::max<Index>(1, 3 - 2 * padding), 33); };
  c.input = {extent(c.padding.height), extent(c.padding.width)};
  if (seed % 20 == 0) c.batch = from(1, 2), c.input = {from(3, 6), from(3, 6)};
  return c;
}

kernel::Conv2dGeometry geometry(const Case& c) {
  return kernel::detail::conv2d_geometry("", {c.batch, c.in, c.input.height, c.input.width},
                                         {c.out, c.in, 3, 3}, {.padding = c.padding});
}

/// The largest error of `fast`, as a share of the largest element of `exact`.
template <int N>
double relative_error(const Tensor<float, N>& fast, const Tensor<double, N>& exact) {
  double largest = 1e-3, error = 0;
  for (Index i = 0; i < exact.size(); ++i) {
    largest = std::max(largest, std::abs(exact.data()[i]));
    const double e = std::abs(static_cast<double>(fast.data()[i]) - exact.data()[i]);
    if (!(e <= error)) error = e;
  }
  return error / largest;
}

template <int N>
Tensor<double, N> widen(const Tensor<float, N>& x) {
  const Tensor<double, N> y(x.shape());
  for (Index i = 0; i < x.size(); ++i) y.mutable_data()[i] = x.data()[i];
  return y;
}

void compare(const Case& c, std::uint64_t seed) {
  constexpr double bound = 1e-5;
  const kernel::Conv2dGeometry g = geometry(c);
  const Shape<4> x_shape{c.batch, c.in, c.input.height, c.input.width}, w_shape{c.out, c.in, 3, 3},
      y_shape{c.batch, c.out, g.output.height, g.output.width};
  const auto x = random<float>(x_shape, seed), w = random<float>(w_shape, seed + 1);
  const auto dy = random<float>(y_shape, seed + 2);
  const auto bias = random<float>(Shape{c.out}, seed + 3);
  const auto xd = widen(x), wd = widen(w), dyd = widen(dy);
  const bool relu = seed % 2 == 0, add = seed % 3 == 0;
  INFO(message("batch ", c.batch, ", ", c.in, " -> ", c.out, " channels, image ", c.input,
               ", padding ", c.padding, ", relu ", relu, ", add ", add));

  // The reference takes its time: it is asked once for all instruction sets.
  const Tensor<double, 4> exact_y(y_shape);
  const View<const float, 1> b = seed % 5 ? bias.view() : View<const float, 1>{};
  const auto wide_bias = widen(bias);
  const Activation activation = relu ? Activation::relu : Activation::none;
  kernel::reference::conv2d_forward<double>(
      g, xd.view(), wd.view(), exact_y.mut(),
      {seed % 5 ? wide_bias.data() : nullptr, nullptr, activation});
  const auto dx0 = random<float>(x_shape, seed + 4), dw0 = random<float>(w_shape, seed + 5);
  const auto exact_dx = widen(dx0), exact_dw = widen(dw0);
  kernel::reference::conv2d_grad_input<double>(g, dyd.view(), wd.view(), {}, into(exact_dx, add));
  kernel::reference::conv2d_grad_weight<double>(g, xd.view(), dyd.view(), into(exact_dw, add));

  each_isa([&](Isa set) {
    INFO(to_string(set));
    const Tensor<float, 4> y(y_shape);
    conv2d_forward(Cpu{}, g, x.view(), w.view(), y.mut(), {b.data, nullptr, activation});
    CHECK(relative_error(y, exact_y) < bound);
    const auto dx = dx0.clone(), dw = dw0.clone();
    conv2d_grad_input(Cpu{}, g, dy.view(), w.view(), {}, into(dx, add));
    CHECK(relative_error(dx, exact_dx) < bound);
    conv2d_grad_weight(Cpu{}, g, x.view(), dy.view(), into(dw, add));
    CHECK(relative_error(dw, exact_dw) < bound);
  });
}

/// Winograd's algorithm for as long as it lives.
struct OnlyWinograd {
  OnlyWinograd() { set_conv2d_algorithm(ConvAlgorithm::winograd); }
  ~OnlyWinograd() { reset_conv2d_algorithm(); }
};

}  // namespace

TEST_CASE("winograd: all passes against the reference in double, on every instruction set",
          "[conv2d]") {
  const OnlyWinograd only;
  for (std::uint64_t seed = 0; seed < 120; ++seed) compare(random_case(seed), seed);
  compare({1, 1, 1, 1, 1}, 1);  // one pixel
  compare({1, 16, 32, {28, 28}, 1}, 2);
  compare({2, 3, 5, {3, 90}, 0}, 3);    // one row of tiles
  compare({1, 4, 4, {130, 70}, 1}, 4);  // several bands
}

TEST_CASE("winograd: the number of threads does not change a bit", "[conv2d]") {
  const OnlyWinograd only;
  for (const Case& c : {Case{20, 16, 32, 28, 1}, Case{3, 200, 190, 7, 1}, Case{1, 8, 8, 100, 0}}) {
    const kernel::Conv2dGeometry g = geometry(c);
    const auto x = random<float>(Shape{c.batch, c.in, c.input.height, c.input.width}, 1);
    const auto w = random<float>(Shape{c.out, c.in, 3, 3}, 2);
    const auto y = conv2d(x, w, {.padding = c.padding});
    check_threads([&] { return conv2d(x, w, {.padding = c.padding}); });
    check_threads([&] {
      const Tensor<float, 4> dx(x.shape());
      conv2d_grad_input(Cpu{}, g, y.view(), w.view(), {}, into(dx));
      return dx;
    });
    check_threads([&] {
      const Tensor<float, 4> dw(w.shape());
      conv2d_grad_weight(Cpu{}, g, x.view(), y.view(), into(dw));
      return dw;
    });
  }
}

TEST_CASE("winograd: the cost model takes it for many channels and tiles, and nowhere else",
          "[conv2d]") {
  const auto choice = [](Shape<4> x, Shape<4> w, Conv2dOptions options,
                         ConvPass pass = ConvPass::forward) {
    return kernel::conv2d_algorithm(kernel::detail::conv2d_geometry("", x, w, options), pass);
  };
  using enum ConvAlgorithm;
  CHECK(choice({64, 16, 28, 28}, {32, 16, 3, 3}, {.padding = 1}) == winograd);
  CHECK(choice({64, 16, 28, 28}, {32, 16, 3, 3}, {.padding = 1}, ConvPass::grad_weight) ==
        winograd);
  CHECK(choice({64, 1, 28, 28}, {16, 1, 3, 3}, {.padding = 1}) == lines);    // few channels
  CHECK(choice({1, 64, 4, 4}, {64, 64, 3, 3}, {.padding = 1}) != winograd);  // few tiles
  CHECK(choice({64, 16, 28, 28}, {32, 16, 3, 3}, {.stride = 2}) != winograd);
  CHECK(choice({64, 16, 28, 28}, {32, 16, 3, 3}, {.dilation = 2}) != winograd);
  CHECK(choice({64, 16, 28, 28}, {32, 16, 5, 5}, {}) != winograd);
  CHECK(choice({64, 16, 28, 28}, {32, 8, 3, 3}, {.groups = 2}) != winograd);
  CHECK(choice({64, 16, 28, 28}, {32, 16, 3, 3}, {.padding = 3}) != winograd);

  set_conv2d_algorithm(direct);
  CHECK(choice({64, 16, 28, 28}, {32, 16, 3, 3}, {.padding = 1}) != winograd);
  reset_conv2d_algorithm();
}

TEST_CASE("winograd: a double is never rounded to its accuracy", "[conv2d]") {
  const OnlyWinograd only;
  const auto x = random<double>(Shape{2, 8, 12, 12}, 1), w = random<double>(Shape{8, 8, 3, 3}, 2);
  const kernel::Conv2dGeometry g =
      kernel::detail::conv2d_geometry("", x.shape(), w.shape(), {.padding = 1});
  const Tensor<double, 4> exact({2, 8, 12, 12});
  kernel::reference::conv2d_forward<double>(g, x.view(), w.view(), exact.mut());
  CHECK(absolute_difference(conv2d(x, w, {.padding = 1}), exact) < 1e-13);
}
