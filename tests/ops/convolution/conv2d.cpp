#include <ebb/ops/convolution/conv2d/conv2d.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;
using Catch::Matchers::Contains;

namespace {

struct Case {
  Shape<4> x, w;
  Conv2dOptions options;
};

std::string to_string(const Case& c) {
  return message("x ", c.x, " w ", c.w, " stride ", c.options.stride, " padding ",
                 c.options.padding.size, " dilation ", c.options.dilation, " groups ",
                 c.options.groups);
}

/// Random sizes that fit together, the odd ones often enough.
Case random_case(std::uint64_t seed) {
  const RandomStream draw{seed, 5};
  for (std::uint64_t at = 0;; at += 32) {
    std::uint64_t i = at;
    const auto from = [&](Index low, Index high) { return low + draw.below(high - low + 1, i++); };
    Case c;
    Index groups = from(0, 2) == 0 ? from(2, 4) : 1;
    Index in = groups * from(1, 4), out = groups * from(1, 9);
    if (seed % 6 == 0) groups = in, out = in * from(1, 2);  // depthwise
    c.x = {from(1, 3), in, from(1, 20), from(1, 40)};
    c.w = {out, in / groups, from(1, 5), from(1, 5)};
    c.options.stride = {from(1, 4), from(1, 4)};
    c.options.padding = Size2(from(0, 3), from(0, 3));
    c.options.dilation = {from(1, 3), from(1, 3)};
    c.options.groups = groups;
    if (seed % 7 == 1) c.w[2] = c.w[3] = 1, c.options.stride = {3, 2};            // stride > kernel
    if (seed % 7 == 2) c.x[2] = c.x[3] = 1, c.options.padding = 2;                // one pixel
    if (seed % 7 == 3) c.w[2] = c.x[2], c.w[3] = c.x[3], c.options.dilation = 1;  // kernel = image
    if (seed % 7 == 4) c.options = {.groups = groups};
    if (seed % 7 == 5) c.options = {.padding = same, .dilation = from(1, 3), .groups = groups};
    try {
      kernel::detail::conv2d_geometry("", c.x, c.w, c.options);
      return c;
    } catch (const Error&) {
    }
  }
}

template <class T>
void compare(const Case& c, std::uint64_t seed) {
  const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry("", c.x, c.w, c.options);
  const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
  const auto x = random<T>(c.x, seed), w = random<T>(c.w, seed + 1),
             dy = random<T>(y_shape, seed + 2);
  const auto bias = random<T>(Shape{g.out_channels}, seed + 3);
  const auto bias_in = random<T>(Shape{g.in_channels}, seed + 4);
  const View<const T, 1> none, b = seed % 2 ? bias.view() : none,
                               bi = seed % 3 ? none : bias_in.view();
  const bool add = seed % 4 == 1, relu = seed % 3 == 1;
  INFO(to_string(c) << " add " << add);
  const double unit = sizeof(T) == 4 ? 1.2e-7 : 2.3e-16;
  const auto bound = [&](Index terms) { return unit * (static_cast<double>(terms) + 8); };

  const Tensor<T, 4> y(y_shape), y2(y_shape);
  const kernel::Epilogue<T> end{b.data, nullptr, relu ? Activation::relu : Activation::none};
  conv2d_forward(Cpu{}, g, x.view(), w.view(), y.mut(), end);
  kernel::reference::conv2d_forward<T>(g, x.view(), w.view(), y2.mut(), end);
  CHECK(absolute_difference(y, y2) < bound(g.taps()));

  const auto dx = random<T>(c.x, seed + 5), dx2 = dx.clone();
  conv2d_grad_input(Cpu{}, g, dy.view(), w.view(), bi, into(dx, add));
  kernel::reference::conv2d_grad_input<T>(g, dy.view(), w.view(), bi, into(dx2, add));
  CHECK(absolute_difference(dx, dx2) < bound(g.group_out() * g.kernel.area()));

  const auto dw = random<T>(c.w, seed + 6), dw2 = dw.clone();
  conv2d_grad_weight(Cpu{}, g, x.view(), dy.view(), into(dw, add));
  kernel::reference::conv2d_grad_weight<T>(g, x.view(), dy.view(), into(dw2, add));
  CHECK(absolute_difference(dw, dw2) < bound(g.batch * g.output.area()));

  const auto db = bias.clone(), db2 = bias.clone();
  sum_channels(Cpu{}, dy.view(), into(db, add));
  kernel::reference::sum_channels<T>(dy.view(), into(db2, add));
  CHECK(absolute_difference(db, db2) < bound(g.batch * g.output.area()));

  const Tensor<T, 4> rectified(y_shape), rectified2(y_shape);
  const auto db3 = bias.clone(), db4 = bias.clone();
  sum_rectified_channels(Cpu{}, y.view(), dy.view(), rectified.mut(), into(db3, add));
  map_backward(Cpu{}, ebb::relu, y.view(), dy.view(), into(rectified2));
  kernel::reference::sum_channels<T>(rectified2.view(), into(db4, add));
  CHECK(absolute_difference(rectified, rectified2) == 0);
  CHECK(absolute_difference(db3, db4) < bound(g.batch * g.output.area()));
}

}  // namespace

// The values below are those of PyTorch 1.13 in double:
//   F = torch.nn.functional
//   def fill(*s): return (((7*torch.arange(math.prod(s)).double()+3) % 11 - 5) / 4).reshape(s)
//   x, w, b = fill(1,2,4,5), fill(2,1,2,3), fill(2)
//   y = F.conv2d(x, w, b, stride=(2,1), padding=(1,2), dilation=(2,1), groups=2)
//   (y * fill(*y.shape)).sum().backward()
TEST_CASE("conv2d: values and gradients are PyTorch's", "[conv2d]") {
  each_isa([](Isa) {
    Tape tape;
    const auto x = tape.watch(fill(Shape{1, 2, 4, 5})), w = tape.watch(fill(Shape{2, 1, 2, 3}));
    const auto b = tape.watch(fill(Shape{2}));
    const auto y =
        conv2d(x, w, b, {.stride = {2, 1}, .padding = {1, 2}, .dilation = {2, 1}, .groups = 2});
    CHECK(y.value().values() ==
          std::vector<double>{-0.5,   -0.5,   -1.5,    1,      -1.3125, -1.5625, 0.4375,
                              -0.5,   0.25,   -2.3125, -0.125, 0,       -2.75,   0.3125,
                              1.625,  0.375,  2.6875,  0.5,    0.375,   2.875,   0.3125,
                              1.3125, 0.9375, 1.5625,  1.9375, -0.4375, 2.3125,  1.75});
    backward(y, fill(y.shape()));
    CHECK(x.grad().values() ==
          std::vector<double>{0, 0, 0, 0, 0, 1.5625,  -1.0625, -0.9375, -0.125,  2.0625,
                              0, 0, 0, 0, 0, 0.6875,  -1.625,  0.875,   -1.4375, 1.0625,
                              0, 0, 0, 0, 0, -0.875,  1.5625,  -0.8125, -0.4375, 2,
                              0, 0, 0, 0, 0, -2.0625, 0.5625,  0.4375,  -1.75,   0.875});
    CHECK(w.grad().values() == std::vector<double>{-1.5, 0.1875, -0.1875, 2.875, -2.5, 0.375,
                                                   -1.6875, 3.125, -1.6875, -2.3125, -3.5, 5.625});
    CHECK(b.grad().values() == std::vector<double>{1, 0.25});
  });
}

//   F.conv2d(fill(1,1,3,4), fill(1,1,2,4), padding='same')
TEST_CASE("conv2d: padding 'same' puts the odd zero below and to the right", "[conv2d]") {
  const auto y = conv2d(fill(Shape{1, 1, 3, 4}), fill(Shape{1, 1, 2, 4}), {.padding = same});
  CHECK(y.shape() == Shape{1, 1, 3, 4});
  CHECK(y.values() == std::vector<double>{-1.25, 5, -1.25, -2.0625, 3.625, -2.4375, -1.8125, 1.9375,
                                          -1, -0.9375, 1.125, -0.875});
}

// (Winograd's rounding is another: tests/ops/convolution/conv2d_winograd.cpp.)
TEST_CASE("conv2d: the fast kernels against the reference, on every instruction set", "[conv2d]") {
  set_conv2d_algorithm(ConvAlgorithm::direct);
  each_isa([](Isa set) {
    INFO(ebb::to_string(set));
    for (std::uint64_t i = 0; i < 200; ++i) {
      const Case c = random_case(i);
      compare<float>(c, i);
      compare<double>(c, i);
    }
    // Larger than one band, and more channels than one task takes.
    compare<float>({{1, 3, 90, 70}, {40, 3, 3, 3}, {.stride = 2, .padding = 1}}, 1);
    compare<float>({{2, 20, 7, 7}, {70, 20, 3, 3}, {.padding = same}}, 2);
    compare<float>({{1, 1, 5, 600}, {2, 1, 1, 500}, {}}, 3);
    compare<float>({{1, 2, 6, 5}, {3, 2, 2, 2}, {.stride = 100}}, 4);
  });
  reset_conv2d_algorithm();
}

TEST_CASE("conv2d: the number of threads does not change a bit", "[conv2d]") {
  for (const Case& c : {Case{{20, 3, 28, 28}, {8, 3, 3, 3}, {.padding = 1}},
                        Case{{1, 8, 60, 50}, {80, 4, 3, 3}, {.stride = 2, .groups = 2}}}) {
    const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry("", c.x, c.w, c.options);
    const auto x = random<float>(c.x, 1), w = random<float>(c.w, 2);
    const auto y = conv2d(x, w, c.options);
    INFO(to_string(c));
    check_threads([&] { return conv2d(x, w, c.options); });
    check_threads([&] {
      const Tensor<float, 4> dx(c.x);
      conv2d_grad_input(Cpu{}, g, y.view(), w.view(), {}, into(dx));
      return dx;
    });
    check_threads([&] {
      const Tensor<float, 4> dw(c.w);
      conv2d_grad_weight(Cpu{}, g, x.view(), y.view(), into(dw));
      return dw;
    });
    check_threads([&] {
      const Tensor<float, 1> db({g.out_channels});
      sum_channels(Cpu{}, y.view(), into(db));
      return db;
    });
  }
}

TEST_CASE("conv2d: gradients", "[conv2d]") {
  const auto check = [](const Shape<4>& x, const Shape<4>& w, const Conv2dOptions& options) {
    INFO(to_string(Case{x, w, options}));
    CHECK_GRADIENTS([&](const auto&... operands) { return conv2d(operands..., options); },
                    random<double>(x, 1), random<double>(w, 2), random<double>(Shape{w[0]}, 3));
  };
  check({2, 3, 5, 6}, {4, 3, 3, 3}, {.padding = 1});
  check({1, 1, 1, 1}, {2, 1, 1, 1}, {});                           // one pixel
  check({2, 2, 3, 4}, {3, 2, 3, 4}, {});                           // kernel = image
  check({1, 2, 7, 7}, {2, 2, 1, 2}, {.stride = 3});                // stride > kernel
  check({2, 4, 5, 5}, {4, 1, 3, 3}, {.padding = 1, .groups = 4});  // groups = channels
  check({1, 4, 6, 5}, {6, 2, 2, 3}, {.stride = {2, 1}, .dilation = {1, 2}, .groups = 2});
  check({1, 2, 4, 5}, {2, 2, 2, 4}, {.padding = same});
  check({1, 1, 5, 5}, {1, 1, 3, 3}, {.padding = same, .dilation = 2});
  const auto without_bias = [](const auto& x, const auto& w) { return conv2d(x, w); };
  CHECK_GRADIENTS(without_bias, random<double>(Shape{1, 2, 3, 3}),
                  random<double>(Shape{1, 2, 2, 2}));
}

TEST_CASE("conv2d: operands may be tensors, variables and parameters in any mix", "[conv2d]") {
  const auto x = random<float>(Shape{2, 3, 5, 5}, 1), w = random<float>(Shape{4, 3, 3, 3}, 2);
  const auto b = random<float>(Shape{4}, 3);
  const Param<Tensor<float, 4>> weight(w);
  const Param<Tensor<float, 1>> bias(b), absent;
  const auto y = conv2d(x, w, b, {.padding = 1});
  CHECK(same_bits(conv2d(x, weight, bias, {.padding = 1}), y));
  CHECK(same_bits(conv2d(x, w, bias, {.padding = 1}), y));
  CHECK(same_bits(conv2d(x, weight, absent), conv2d(x, w)));

  weight.set_name("conv1.weight");
  Tape tape;
  const auto z = conv2d(tape.input(x), weight, bias, {.padding = 1});
  CHECK(tape.nodes().back().op == "conv2d");
  CHECK(tape.nodes().back().label == "conv1");
  CHECK(tape.nodes().back().macs == 2 * 4 * 5 * 5 * 3 * 3 * 3);
  backward(z, Tensor<float, 4>::ones(z.shape()));
  CHECK(bias.grad().values() == std::vector<float>(4, 50));
  CHECK(same_bits(conv2d(tape.input(x), weight, absent).value(), conv2d(x, w)));
}

TEST_CASE("conv2d: a steady training step takes nothing from the system", "[conv2d]") {
  const Param<Tensor<float, 4>> w(random<float>(Shape{8, 3, 3, 3}));
  const Param<Tensor<float, 1>> b(random<float>(Shape{8}));
  const auto x = random<float>(Shape{20, 3, 16, 16});
  const auto step = [&] {
    Tape tape;
    const auto y = conv2d(tape.watch(x), w, b, {.padding = 1});
    backward(y, y.value());
    w.zero_grad();
    b.zero_grad();
  };
  step();
  const auto before = Cpu::stats().allocations;
  for (int i = 0; i < 3; ++i) step();
  CHECK(Cpu::stats().allocations == before);
}

TEST_CASE("conv2d: dual numbers carry derivatives", "[conv2d]") {
  using D = Dual<double>;
  const auto with_tangent = [](const auto& value, const auto& tangent) {
    Tensor<D, 4> both(value.shape());
    for (Index i = 0; i < both.size(); ++i)
      both.mutable_data()[i] = D(value.data()[i], tangent.data()[i]);
    return both;
  };
  const Shape xs{1, 2, 4, 4}, ws{2, 2, 3, 3};
  const auto x = random<double>(xs, 1), dx = random<double>(xs, 2), w = random<double>(ws, 3),
             dw = random<double>(ws, 4);
  const auto y = conv2d(with_tangent(x, dx), with_tangent(w, dw), {.padding = 1});
  const auto a = conv2d(dx, w, {.padding = 1}), b = conv2d(x, dw, {.padding = 1});
  for (Index i = 0; i < y.size(); ++i)
    CHECK(y.data()[i].tangent == Approx(a.data()[i] + b.data()[i]).margin(1e-14));
}

TEST_CASE("conv2d: what does not fit is refused in a sentence", "[conv2d]") {
  const Tensor<float, 4> x({2, 4, 5, 6}), w({6, 4, 3, 3});
  const Param<Tensor<float, 4>> p(Tensor<float, 4>({6, 3, 3, 3}));
  p.set_name("features.0.weight");
  CHECK_THROWS_AS(conv2d(x, p), ShapeError);
  CHECK_THROWS_WITH(conv2d(x, p),
                    "conv2d (layer features.0): the weight (6, 3, 3, 3) expects 3 "
                    "input channels, but the input (2, 4, 5, 6) has 4");
  CHECK_THROWS_WITH(conv2d(x, w, {.groups = 2}),
                    Contains("expects 8 input channels in all its groups") &&
                        Contains("the weight's second extent is channels / groups"));
  CHECK_THROWS_WITH(conv2d(x, w, {.groups = 3}),
                    Contains("3 groups do not divide 4 input channels"));
  CHECK_THROWS_WITH(conv2d(x, Tensor<float, 4>({5, 2, 3, 3}), {.groups = 2}),
                    Contains("2 groups do not divide 5 output channels"));
  CHECK_THROWS_WITH(conv2d(x, Tensor<float, 4>({6, 4, 7, 3})),
                    "conv2d: the kernel 7x3 is larger than the padded input 5x6 (image 5x6, "
                    "padding 0x0)");
  CHECK_THROWS_WITH(conv2d(x, w, {.padding = 1, .dilation = 4}),
                    "conv2d: the kernel 3x3 (9x9 with dilation 4x4) is larger than the padded "
                    "input 7x8 (image 5x6, padding 1x1)");
  CHECK_THROWS_WITH(conv2d(x, w, Tensor<float, 1>({5})),
                    "conv2d: there are 6 output channels, but the bias has 5 elements");
  CHECK_THROWS_AS(conv2d(x, w, {.stride = 0}), ValueError);
  CHECK_THROWS_WITH(conv2d(x, w, {.stride = {1, -2}}), Contains("the stride is 1x-2"));
  CHECK_THROWS_WITH(conv2d(x, w, {.dilation = 0}), Contains("the dilation is 0x0"));
  CHECK_THROWS_WITH(conv2d(x, w, {.padding = -1}), Contains("the padding is -1x-1"));
  CHECK_THROWS_WITH(conv2d(x, w, {.padding = Index{1} << 62}), Contains("the padding is"));
  CHECK_THROWS_WITH(conv2d(x, w, {.groups = 0}), Contains("there are 0 groups"));
  CHECK_THROWS_WITH(conv2d(x, w, {.stride = 2, .padding = same}), Contains("padding 'same'"));
  CHECK_THROWS_WITH(conv2d(Tensor<float, 4>({2, 4, 0, 5}), w),
                    Contains("the input (2, 4, 0, 5) has empty images"));
  CHECK_THROWS_WITH(conv2d(x, Tensor<float, 4>({6, 4, 0, 3})),
                    Contains("the weight (6, 4, 0, 3) is empty"));
}
