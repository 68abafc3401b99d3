#include <ebb/ops/pooling/upsample/upsample.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;
using test::difference;

namespace {
/// y and dx of an upsampling of ramp(1, 1, 3, 2), for dy = ramp(*y.shape).
template <class F>
void check_values(F&& f, const Shape<4>& shape, const std::vector<double>& y,
                  const std::vector<double>& dx) {
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{1, 1, 3, 2}));
  const auto up = f(x);
  REQUIRE(up.shape() == shape);
  CHECK(difference(up.value(), y) < 1e-14);
  backward(up, test::ramp<double>(shape));
  CHECK(difference(x.grad(), dx) < 1e-14);
}
}  // namespace

// x = ramp(1, 1, 3, 2).requires_grad_()
// y = F.interpolate(x, size=(5, 3), mode="nearest"); y.backward(ramp(*y.shape))
// and with scale_factor=(1.5, 2.5)
TEST_CASE("upsample_nearest2d: the values of PyTorch", "[ops][upsample]") {
  check_values(
      [](const auto& x) {
        return upsample_nearest2d(x, {5, 3});
      },
      Shape{1, 1, 5, 3},
      {-1.0, -1.0, 0.75, -1.0, -1.0, 0.75, -0.25, -0.25, 1.5, -0.25, -0.25, 1.5, 0.5, 0.5, -0.5},
      {1.75, -0.75, 2.5, -1.75, 0.5, 1.5});
  check_values(
      [](const auto& x) {
        return upsample_nearest2d(x, Scale2{1.5, 2.5});
      },
      Shape{1, 1, 4, 5}, {-1.0,  -1.0,  -1.0,  0.75, 0.75, -1.0, -1.0, -1.0, 0.75, 0.75,
                          -0.25, -0.25, -0.25, 1.5,  1.5,  0.5,  0.5,  0.5,  -0.5, -0.5},
      {0.5, 2.25, -0.25, 1.25, 1.25, -0.5});
}

// F.interpolate(x, size=(5, 3), mode="bilinear", align_corners=False), then True, then
// scale_factor=(1.5, 2.6), align_corners=False
TEST_CASE("upsample_bilinear2d: the values of PyTorch", "[ops][upsample]") {
  check_values(
      [](const auto& x) {
        return upsample_bilinear2d(x, {5, 3});
      },
      Shape{1, 1, 5, 3},
      {-1.0, -0.125, 0.75, -0.7, 0.175, 1.05, -0.25, 0.625, 1.5, 0.2, 0.25, 0.3, 0.5, 0, -0.5},
      {0.425, -0.025, 2.475000000000001, -1.125, 1.225, 0.775});
  check_values(
      [](const auto& x) {
        return upsample_bilinear2d(x, {5, 3}, true);
      },
      Shape{1, 1, 5, 3},
      {-1.0, -0.125, 0.75, -0.625, 0.25, 1.125, -0.25, 0.625, 1.5, 0.125, 0.3125, 0.5, 0.5, 0,
       -0.5},
      {0.25, 0, 2.75, -1.25, 1.125, 0.875});
  check_values(
      [](const auto& x) {
        return upsample_bilinear2d(x, Scale2{1.5, 2.6});
      },
      Shape{1, 1, 4, 5},
      {-1.0,
       -0.865384615384615,
       -0.192307692307692,
       0.480769230769231,
       0.75,
       -0.625,
       -0.490384615384615,
       0.182692307692307,
       0.855769230769231,
       1.125,
       -0.125,
       -0.025641025641026,
       0.471153846153846,
       0.967948717948718,
       1.166666666666667,
       0.375,
       0.333333333333333,
       0.125,
       -0.083333333333333,
       -0.166666666666667},
      {0.125, 2.0, -0.003205128205128, 1.586538461538462, 0.532051282051282, 0.259615384615384});
}

// acc = 0
// for n in range(1, 33):
//   for m in range(1, 65):
//     for v in F.interpolate(torch.arange(n, dtype=torch.float).reshape(1, 1, 1, n),
//                            size=(1, m)).flatten().long().tolist():
//       acc = (acc * 31 + v + 1) % 1000000007
// and: for n in range(1, 20): for k in range(1, 60): scale_factor=(1.0, 0.3 + k * 0.07)
TEST_CASE("upsample_nearest2d picks PyTorch's pixel, for 2048 pairs of sizes and a thousand scales",
          "[ops][upsample]") {
  const auto digest = [](Index acc, const Tensor<float, 4>& y) {
    for (Index i = 0; i < y.size(); ++i)
      acc = (acc * 31 + static_cast<Index>(y.data()[i]) + 1) % 1000000007;
    return acc;
  };
  const auto count = [](Index n) {
    Tensor<float, 4> x(Shape<4>{1, 1, 1, n});
    for (Index i = 0; i < n; ++i) x.mutable_data()[i] = static_cast<float>(i);
    return x;
  };
  Index acc = 0;
  for (Index n = 1; n < 33; ++n)
    for (Index m = 1; m < 65; ++m) acc = digest(acc, upsample_nearest2d(count(n), {1, m}));
  CHECK(acc == 175249377);
  acc = 0;
  for (Index n = 1; n < 20; ++n)
    for (int k = 1; k < 60; ++k) {
      const double scale = 0.3 + k * 0.07;
      if (std::floor(static_cast<double>(n) * scale) < 1) continue;
      acc = digest(acc, upsample_nearest2d(count(n), Scale2{1, scale}));
    }
  CHECK(acc == 474398307);
}

TEST_CASE("upsampling to its own size changes nothing", "[ops][upsample]") {
  const auto x = test::random<double>(Shape{2, 3, 4, 5});
  CHECK(test::same_bits(upsample_nearest2d(x, {4, 5}), x));
  CHECK(test::same_bits(upsample_bilinear2d(x, {4, 5}), x));
  CHECK(test::same_bits(upsample_bilinear2d(x, {4, 5}, true), x));
  CHECK(test::same_bits(upsample_nearest2d(x, Scale2{1.1}), x));
  CHECK(test::same_bits(upsample_bilinear2d(x, Scale2{1.1}), x));
  CHECK(test::same_bits(upsample_nearest2d(x, Scale2{2}), upsample_nearest2d(x, {8, 10})));
}

TEST_CASE("upsampling: sizes that make no sense", "[ops][upsample]") {
  const auto x = test::random<float>(Shape{1, 2, 4, 5});
  CHECK(test::error_of<ValueError>([&] {
          upsample_nearest2d(x, {0, 3});
        }) ==
        "upsample_nearest2d: the output size 0x3 is empty for the input (1, 2, 4, 5); height and "
        "width must be at least 1");
  CHECK(contains(test::error_of<ValueError>([&] { upsample_bilinear2d(x, Scale2{0.1}); }),
                 "upsample_bilinear2d: the size 0x0 from scale 0.1x0.1 is empty"));
  CHECK(contains(test::error_of<ValueError>([&] {
                   upsample_bilinear2d(x, Scale2{-1, 2});
                 }),
                 "the scale -1x2 is not a pair of positive factors"));
  CHECK(contains(test::error_of<ValueError>([&] { upsample_nearest2d(x, Scale2{NAN}); }),
                 "not a pair of positive factors"));
  CHECK(contains(test::error_of<ShapeError>([] {
                   upsample_nearest2d(Tensor<float, 4>(Shape{1, 2, 0, 4}), 8);
                 }),
                 "the input (1, 2, 0, 4) has empty images"));
}

namespace {
template <class T>
double worst_against_reference() {
  const RandomStream random{17, 0};
  std::uint64_t at = 0;
  double worst = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const auto draw = [&](Index low, Index high) {
      return low + random.below(high - low + 1, at++);
    };
    const Shape<4> shape{draw(1, 2), draw(1, 3), draw(1, 9), draw(1, 12)};
    const Size2 size{draw(1, 20), draw(1, trial % 10 == 0 ? 600 : 30)};
    const auto g = kernel::UpsampleGeometry::of("upsample", shape, size, trial % 2 == 1);
    const auto x = test::random<T>(shape, at);
    const Shape<4> out{shape[0], shape[1], size.height, size.width};
    const Tensor<T, 4> near(out), near2(out), linear(out), linear2(out);
    upsample_nearest_forward(Cpu{}, g, x.view(), near.mut());
    kernel::reference::upsample_nearest_forward(g, x.view(), near2.mut());
    upsample_bilinear_forward(Cpu{}, g, x.view(), linear.mut());
    kernel::reference::upsample_bilinear_forward(g, x.view(), linear2.mut());
    worst = std::fmax(worst, std::fmax(difference(near, near2), difference(linear, linear2)));
    for (const bool add : {false, true}) {
      const auto a = test::random<T>(shape, 3), a2 = a.clone(), b = a.clone(), b2 = a.clone();
      const auto into = [&](const Tensor<T, 4>& t) {
        return Into<T, 4>{t.mutable_data(), shape, add};
      };
      upsample_nearest_backward(Cpu{}, g, near.view(), into(a));
      kernel::reference::upsample_nearest_backward(g, near.view(), into(a2));
      upsample_bilinear_backward(Cpu{}, g, near.view(), into(b));
      kernel::reference::upsample_bilinear_backward(g, near.view(), into(b2));
      worst = std::fmax(worst, std::fmax(difference(a, a2), difference(b, b2)));
    }
  }
  return worst;
}
}  // namespace

TEST_CASE("upsampling: the fast kernels are the reference", "[ops][upsample]") {
  CHECK(worst_against_reference<float>() < 3e-5);
  CHECK(worst_against_reference<double>() < 1e-13);
}

TEST_CASE("upsampling: gradients", "[ops][upsample]") {
  const auto check = [](const Shape<4>& shape, Size2 size) {
    const auto x = test::random<double>(shape);
    CHECK_GRADIENTS([&](const auto& v) { return upsample_nearest2d(v, size); }, x);
    CHECK_GRADIENTS([&](const auto& v) { return upsample_bilinear2d(v, size); }, x);
    CHECK_GRADIENTS([&](const auto& v) { return upsample_bilinear2d(v, size, true); }, x);
  };
  check(Shape{2, 2, 3, 2}, {5, 4});
  check(Shape{1, 1, 1, 1}, {3, 2});
  check(Shape{1, 2, 2, 3}, {2, 3});
  check(Shape{1, 1, 4, 1}, {9, 1});
  const auto x = test::random<double>(Shape{1, 2, 3, 4});
  CHECK_GRADIENTS([](const auto& v) { return upsample_nearest2d(v, Scale2{2, 1.3}); }, x);
  CHECK_GRADIENTS([](const auto& v) { return upsample_bilinear2d(v, Scale2{1.7}); }, x);
}

TEST_CASE("upsampling: any number of threads", "[ops][upsample]") {
  const auto x = test::random<float>(Shape{3, 5, 30, 31});
  const auto gradient = [&](auto&& f) {
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = f(v);
    backward(y, y.value());
    return v.grad();
  };
  const auto nearest = [](const auto& v) { return upsample_nearest2d(v, {70, 64}); };
  const auto bilinear = [](const auto& v) { return upsample_bilinear2d(v, {70, 64}); };
  CHECK(test::same_for_any_threads([&] { return nearest(x); }));
  CHECK(test::same_for_any_threads([&] { return bilinear(x); }));
  CHECK(test::same_for_any_threads([&] { return gradient(nearest); }));
  CHECK(test::same_for_any_threads([&] { return gradient(bilinear); }));
}

TEST_CASE("upsampling: dual numbers", "[ops][upsample]") {
  const Tensor<Dual<double>, 4> x({1, 1, 1, 2}, {Dual<double>(1, 2), Dual<double>(3, 4)});
  CHECK(upsample_bilinear2d(x, {1, 3}, true)(0, 0, 0, 1).tangent == 3);
  CHECK(upsample_nearest2d(x, {1, 4})(0, 0, 0, 3).tangent == 4);
}
