#include <ebb/ops/pooling/max_pool2d.hpp>

#include "tests/support/pooling.hpp"

#include <limits>

using namespace ebb;
using test::contains;
using test::difference;

// x = ramp(1, 2, 5, 6).requires_grad_()
// y = F.max_pool2d(x, (3, 2), stride=(2, 3), padding=(1, 1), ceil_mode=True);
// y.backward(ramp(*y.shape))
TEST_CASE("max_pool2d: the values of PyTorch", "[ops][pool]") {
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{1, 2, 5, 6}));
  const auto y =
      max_pool2d(x, {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 1}, .ceil_mode = true});
  REQUIRE(y.shape() == Shape{1, 2, 3, 3});
  CHECK(difference(y.value(), {1.25, 1.5, -0.5, 1.25, 1.5, 1.25, 0.25, 1.0, 0.75, 1.5, 1.25, -0.25,
                               1.5, 1.25, 1.5, 0.5, 1.25, 1.0}) == 0);
  backward(y, test::ramp<double>(y.shape()));
  CHECK(difference(x.grad(), {0, 0, 0,    0.75, 0, -0.25, 0.5,  0, 0,     0,     0, 0, 0, 0, 0.5,
                              0, 0, -0.5, 1.25, 0, 0.25,  0,    0, -0.75, 0,     0, 0, 0, 0, 0,
                              0, 0, 0,    0,    0, -1.0,  1.75, 0, 0,     -0.25, 0, 0, 0, 0, 0,
                              0, 0, 1.5,  0.5,  0, -0.5,  0,    0, 1.25,  0,     0, 0, 0, 0, 0}) ==
        0);
}

// F.max_pool2d(ramp(1, 2, 5, 6), 2, stride=1, dilation=2)
TEST_CASE("max_pool2d: dilation, as PyTorch", "[ops][pool]") {
  const auto y =
      max_pool2d(test::ramp<float>(Shape{1, 2, 5, 6}), {.kernel = 2, .stride = 1, .dilation = 2});
  REQUIRE(y.shape() == Shape{1, 2, 3, 4});
  CHECK(difference(y, {1.5, 1.5, 1.5,  1.5, 1.25, 1.0,  1.0,  1.0,  1.5, 1.5,  1.5, 1.25,
                       1.0, 1.0, 0.75, 1.5, 1.5,  1.25, 1.25, 1.25, 1.0, 0.75, 1.5, 1.5}) == 0);
}

TEST_CASE("max_pool2d: the stride is the kernel by default", "[ops][pool]") {
  const auto x = test::random<float>(Shape{2, 3, 7, 9});
  CHECK(test::same_bits(max_pool2d(x, 2), max_pool2d(x, {.kernel = 2, .stride = 2})));
  CHECK(max_pool2d(x, {.kernel = {3, 2}}).shape() == Shape{2, 3, 2, 4});
}

TEST_CASE("max_pool2d: the first of equal elements gets the gradient; nan wins", "[ops][pool]") {
  Tape tape;
  const auto x = tape.watch(Tensor<float, 4>::zeros(Shape{1, 1, 2, 2}));
  const auto y = max_pool2d(x, 2);
  backward(y, Tensor<float, 4>::ones(y.shape()));
  CHECK(x.grad().values() == std::vector<float>{1, 0, 0, 0});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor<float, 4> bad({1, 1, 2, 2}, {1, nan, 3, 2});
  CHECK(std::isnan(max_pool2d(bad, 2).item()));
  const float least = -std::numeric_limits<float>::infinity();
  const auto v = tape.watch(Tensor<float, 4>::full(Shape{1, 1, 3, 3}, least));
  const auto z = max_pool2d(v, {.kernel = 2, .stride = 2, .padding = 1});
  CHECK(z.value()(0, 0, 1, 1) == least);
  backward(z, Tensor<float, 4>::ones(z.shape()));
  CHECK(v.grad().values() == std::vector<float>{1, 1, 0, 1, 1, 0, 0, 0, 0});
}

// F.max_pool2d(ramp(1, 1, 2, 2), 3, stride=2, ceil_mode=True): a window larger than the image
TEST_CASE("max_pool2d: in ceil mode the only window may reach over the edge, as in PyTorch",
          "[ops][pool]") {
  const auto x = test::ramp<float>(Shape{1, 1, 2, 2});
  CHECK(max_pool2d(x, {.kernel = 3, .stride = 2, .ceil_mode = true}).values() ==
        std::vector<float>{1.5});
  CHECK(contains(test::error_of<ShapeError>(
                     [&] { max_pool2d(x, {.kernel = 4, .stride = 2, .ceil_mode = true}); }),
                 "a window of 4 does not fit"));
}

TEST_CASE("max_pool2d: windows that do not fit", "[ops][pool]") {
  const auto x = test::random<float>(Shape{1, 2, 4, 5});
  CHECK(test::error_of<ShapeError>([&] { max_pool2d(x, 5); }) ==
        "max_pool2d: a window of 5 does not fit into the height of the input (1, 2, 4, 5), 4 and 4 "
        "with padding; use a smaller kernel or a larger image");
  CHECK(test::error_of<ValueError>([&] {
          max_pool2d(x, {.kernel = {2, 3}, .padding = 2});
        }) ==
        "max_pool2d: padding 2 is more than half the kernel, which is 2 along the height; pad the "
        "input with pad() first");
  CHECK(contains(test::error_of<ValueError>([&] { max_pool2d(x, {.kernel = 0}); }), "kernel 0"));
  CHECK(contains(test::error_of<ValueError>([&] { max_pool2d(x, {.kernel = 2, .stride = -1}); }),
                 "stride -1"));
  CHECK(contains(test::error_of<ValueError>([&] { max_pool2d(x, {.kernel = 2, .dilation = 0}); }),
                 "dilation 0"));
  CHECK(contains(test::error_of<ShapeError>([] {
                   max_pool2d(Tensor<float, 4>(Shape{2, 0, 4, 4}), 2);
                 }),
                 "the input (2, 0, 4, 4) has empty images"));
  CHECK(contains(test::error_of<ValueError>(
                     [&] { max_pool2d(x, {.kernel = Index{1} << 40, .padding = Index{1} << 39}); }),
                 "none may be above 1073741824"));
  // padded to 3, a window of two elements two apart sees the padding on either side alone
  CHECK(contains(test::error_of<ShapeError>([] {
                   max_pool2d(Tensor<float, 4>::ones(Shape{1, 1, 1, 1}),
                              {.kernel = 2, .padding = 1, .dilation = 2});
                 }),
                 "would see padding alone"));
}

namespace {
template <class T>
bool fast_is_reference() {
  bool same = true;
  test::each_random_window(
      "max_pool2d", 11, 2,
      [&](const kernel::Pool2dGeometry& g, const Shape<4>& shape, std::uint64_t seed, const auto&) {
        const auto x = test::random<T>(shape, seed);
        const Shape<4> out{shape[0], shape[1], g.y.out, g.x.out};
        const Tensor<T, 4> y(out), plain(out), expected(out);
        const Tensor<int, 4> where(out), expected_where(out);
        max_pool2d_forward(Cpu{}, g, x.view(), y.mut(), where.mut());
        max_pool2d_forward(Cpu{}, g, x.view(), plain.mut(), View<int, 4>{});
        kernel::reference::max_pool2d_forward(g, x.view(), expected.mut(), expected_where.mut());
        same = same && test::same_bits(y, expected) && test::same_bits(plain, expected) &&
               test::same_bits(where, expected_where);
        for (const bool add : {false, true}) {
          const auto dx = test::random<T>(shape, 3), expected_dx = dx.clone();
          max_pool2d_backward(Cpu{}, g, where.view(), y.view(),
                              Into<T, 4>{dx.mutable_data(), shape, add});
          kernel::reference::max_pool2d_backward(
              g, where.view(), y.view(), Into<T, 4>{expected_dx.mutable_data(), shape, add});
          same = same && test::same_bits(dx, expected_dx);
        }
      });
  return same;
}
}  // namespace

TEST_CASE("max_pool2d: the fast kernels are the reference", "[ops][pool]") {
  CHECK(fast_is_reference<float>());
  CHECK(fast_is_reference<double>());
}

TEST_CASE("max_pool2d: gradients", "[ops][pool]") {
  test::check_pool_gradients<MaxPool2dOptions>(
      [](const auto& x, const auto& options) { return max_pool2d(x, options); },
      {.kernel = 3, .stride = 2, .padding = 1, .dilation = 2}, Shape{1, 1, 6, 7});
}

TEST_CASE("max_pool2d: any number of threads", "[ops][pool]") {
  test::check_pool_threads(
      [](const auto& x) { return max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1}); });
}

TEST_CASE("max_pool2d: dual numbers follow the greatest", "[ops][pool]") {
  CHECK(test::tangent_of_two([](const auto& x) { return max_pool2d(x, {.kernel = {1, 2}}); }) == 4);
}
