#include <ebb/ops/convolution/conv_transpose2d.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;
using Catch::Matchers::Contains;

// The values below are those of PyTorch 1.13 in double:
//   F = torch.nn.functional
//   def fill(*s): return (((7*torch.arange(math.prod(s)).double()+3) % 11 - 5) / 4).reshape(s)
//   x, w, b = fill(1,2,2,2), fill(2,1,3,2), fill(2)
//   y = F.conv_transpose2d(x, w, b, stride=(2,3), padding=(1,0), output_padding=(1,2), groups=2,
//                          dilation=(1,2))
//   (y * fill(*y.shape)).sum().backward()
TEST_CASE("conv_transpose2d: values and gradients are PyTorch's", "[conv_transpose2d]") {
  each_isa([](Isa) {
    Tape tape;
    const auto x = tape.watch(fill(Shape{1, 2, 2, 2})), w = tape.watch(fill(Shape{2, 1, 3, 2}));
    const auto b = tape.watch(fill(Shape{2}));
    const auto y = conv_transpose2d(x, w, b,
                                    {.stride = {2, 3},
                                     .padding = {1, 0},
                                     .output_padding = {1, 2},
                                     .groups = 2,
                                     .dilation = {1, 2}});
    CHECK(y.shape() == Shape{1, 2, 4, 8});
    CHECK(y.value().values() ==
          std::vector<double>{-0.625,  -0.5, -0.125,  -0.1875, -0.5, -1.4375, -0.5, -0.5,
                              -1.125,  -0.5, -0.1875, 1.125,   -0.5, -1.4375, -0.5, -0.5,
                              -0.4375, -0.5, -0.6875, -0.6875, -0.5, 0.0625,  -0.5, -0.5,
                              -0.25,   -0.5, -0.5,    -1.25,   -0.5, -0.5,    -0.5, -0.5,
                              1,       1.25, 0,       1.25,    1.25, 1.25,    1.25, 1.25,
                              2.75,    1.25, 0,       0.5,     1.25, 1.8125,  1.25, 1.25,
                              1.5,     1.25, 2.5,     1.0625,  1.25, 0.3125,  1.25, 1.25,
                              0.75,    1.25, 1.75,    1.625,   1.25, 0.875,   1.25, 1.25});
    backward(y, fill(y.shape()));
    CHECK(x.grad().values() ==
          std::vector<double>{-0.5625, -0.6875, 0.4375, 0.125, -0.6875, -1.6875, 0.3125, 2.8125});
    CHECK(w.grad().values() == std::vector<double>{0.3125, -0.0625, -0.5, -0.3125, -0.4375, -0.25,
                                                   -0.375, 2.1875, 0.0625, 1.3125, 0.25, -1.25});
    CHECK(b.grad().values() == std::vector<double>{-0.5, 1.25});
  });
}

TEST_CASE("conv_transpose2d: scatters the kernel", "[conv_transpose2d]") {
  const Tensor<float, 4> x({1, 1, 1, 2}, {1, 10}), w({1, 1, 2, 2}, {1, 2, 3, 4});
  const auto y = conv_transpose2d(x, w, {.stride = {1, 2}});
  CHECK(y.shape() == Shape{1, 1, 2, 4});
  CHECK(y.values() == std::vector<float>{1, 2, 10, 20, 3, 4, 30, 40});
  const auto z = conv_transpose2d(x, w, Tensor<float, 1>({1}, {100}), {.stride = {1, 3}});
  CHECK(z.values() == std::vector<float>{101, 102, 100, 110, 120, 103, 104, 100, 130, 140});
}

TEST_CASE("conv_transpose2d: is the transpose of conv2d", "[conv_transpose2d]") {
  // <conv(u), v> = <u, transpose(v)> over random sizes, where the reference computes conv.
  each_isa([](Isa) {
    for (std::uint64_t i = 0; i < 100; ++i) {
      const RandomStream draw{i, 9};
      std::uint64_t at = 0;
      const auto from = [&](Index low, Index high) {
        return low + draw.below(high - low + 1, at++);
      };
      ConvTranspose2dOptions options{.stride = {from(1, 4), from(1, 3)},
                                     .groups = from(1, 3),
                                     .dilation = {from(1, 3), from(1, 2)}};
      options.output_padding = {
          from(0, std::max(options.stride.height, options.dilation.height) - 1),
          from(0, std::max(options.stride.width, options.dilation.width) - 1)};
      const Shape<4> w{options.groups * from(1, 5), from(1, 5), from(1, 4), from(1, 4)};
      options.padding = {from(0, std::min<Index>(2, (w[2] - 1) / 2)), from(0, (w[3] - 1) / 2)};
      const Shape<4> vs{from(1, 2), w[0], from(1, 9), from(1, 20)};
      const auto v = random<double>(vs, i), weight = random<double>(w, i + 1);
      const auto y = conv_transpose2d(v, weight, options);
      const auto u = random<double>(y.shape(), i + 2);
      const auto g = detail::conv_transpose2d_geometry("", vs, w, options);
      const Tensor<double, 4> c(vs);
      kernel::reference::conv2d_forward<double>(g, u.view(), weight.view(), c.mut());
      double left = 0, right = 0;
      for (Index k = 0; k < c.size(); ++k) left += c.data()[k] * v.data()[k];
      for (Index k = 0; k < u.size(); ++k) right += u.data()[k] * y.data()[k];
      CHECK(left == Approx(right).margin(1e-10));
    }
  });
}

TEST_CASE("conv_transpose2d: gradients", "[conv_transpose2d]") {
  const auto check = [](const Shape<4>& x, const Shape<4>& w,
                        const ConvTranspose2dOptions& options) {
    INFO("x " << to_string(x) << " w " << to_string(w));
    CHECK_GRADIENTS([&](const auto&... operands) { return conv_transpose2d(operands..., options); },
                    random<double>(x, 1), random<double>(w, 2),
                    random<double>(Shape{w[1] * options.groups}, 3));
  };
  check({2, 3, 3, 4}, {3, 2, 2, 2}, {.stride = 2});
  check({1, 1, 1, 1}, {1, 1, 1, 1}, {});
  check({1, 2, 3, 3}, {2, 3, 3, 3}, {.stride = 2, .padding = 1, .output_padding = 1});
  check({1, 4, 3, 2}, {4, 1, 3, 3}, {.stride = {1, 2}, .padding = 1, .groups = 4});
  check({2, 2, 2, 3}, {2, 1, 2, 3}, {.stride = 4, .output_padding = 3});  // stride > kernel
  check({1, 2, 3, 3}, {2, 2, 2, 2}, {.output_padding = {2, 0}, .dilation = {3, 1}});
  const auto without_bias = [](const auto& x, const auto& w) { return conv_transpose2d(x, w); };
  CHECK_GRADIENTS(without_bias, random<double>(Shape{1, 2, 3, 3}),
                  random<double>(Shape{2, 1, 2, 2}));
}

TEST_CASE("conv_transpose2d: gradients add up where an operand is used twice",
          "[conv_transpose2d]") {
  const auto w = random<double>(Shape{2, 2, 1, 1}, 2);
  const auto twice = [&](const auto& x) {
    return conv_transpose2d(conv_transpose2d(x, w), conv_transpose2d(x, w));
  };
  CHECK_GRADIENTS(twice, random<double>(Shape{2, 2, 1, 1}, 1));
}

TEST_CASE("conv_transpose2d: parameters, an absent bias, multiply-adds", "[conv_transpose2d]") {
  const auto x = random<float>(Shape{2, 3, 5, 5}, 1);
  const Param<Tensor<float, 4>> w(random<float>(Shape{3, 4, 3, 3}, 2));
  const Param<Tensor<float, 1>> b(random<float>(Shape{4}, 3)), absent;
  CHECK(same_bits(conv_transpose2d(x, w, absent), conv_transpose2d(x, w.value())));
  Tape tape;
  const auto y = conv_transpose2d(tape.input(x), w, b, {.stride = 2});
  CHECK(y.shape() == Shape{2, 4, 11, 11});
  CHECK(tape.nodes().back().macs == 2 * 3 * 25 * 4 * 9);
  backward(y, Tensor<float, 4>::ones(y.shape()));
  CHECK(b.grad().values() == std::vector<float>(4, 2 * 121));
}

TEST_CASE("conv_transpose2d: the number of threads does not change a bit", "[conv_transpose2d]") {
  const auto x = random<float>(Shape{3, 8, 30, 20}, 1), w = random<float>(Shape{8, 40, 2, 2}, 2);
  check_threads([&] { return conv_transpose2d(x, w, {.stride = 2}); });
}

TEST_CASE("conv_transpose2d: dual numbers carry derivatives", "[conv_transpose2d]") {
  using D = Dual<double>;
  const auto y = conv_transpose2d(Tensor<D, 4>({1, 1, 1, 1}, {D(3, 1)}),
                                  Tensor<D, 4>({1, 1, 1, 2}, {D(2), D(5, 10)}));
  CHECK(y(0, 0, 0, 0).tangent == 2);
  CHECK(y(0, 0, 0, 1).tangent == 5 + 3 * 10);
}

TEST_CASE("conv_transpose2d: what does not fit is refused in a sentence", "[conv_transpose2d]") {
  const Tensor<float, 4> x({2, 4, 5, 6}), w({4, 3, 3, 3});
  const Param<Tensor<float, 4>> p(Tensor<float, 4>({3, 4, 3, 3}));
  p.set_name("up.weight");
  CHECK_THROWS_AS(conv_transpose2d(x, p), ShapeError);
  CHECK_THROWS_WITH(
      conv_transpose2d(x, p),
      Contains("conv_transpose2d (layer up): the weight (3, 4, 3, 3) expects 3 input channels"));
  CHECK_THROWS_WITH(conv_transpose2d(x, w, {.groups = 3}), Contains("3 groups do not divide 4"));
  CHECK_THROWS_WITH(conv_transpose2d(x, w, {.output_padding = 1}),
                    "conv_transpose2d: the output padding is 1x1; it must be 0 or more and smaller "
                    "than the stride 1x1 or the dilation 1x1");
  CHECK_THROWS_WITH(conv_transpose2d(x, w, {.padding = 4}),
                    Contains("leaves nothing of the output"));
  CHECK_THROWS_WITH(conv_transpose2d(x, w, {.stride = 0}), Contains("the stride is 0x0"));
  CHECK_THROWS_WITH(conv_transpose2d(x, w, {.stride = Index{1} << 62}), Contains("the stride is"));
  CHECK_THROWS_WITH(conv_transpose2d(x, w, Tensor<float, 1>({4})),
                    "conv_transpose2d: there are 3 output channels, but the bias has 4 elements");
  CHECK_THROWS_WITH(conv_transpose2d(Tensor<float, 4>({1, 4, 0, 5}), w),
                    Contains("has empty images"));
}
