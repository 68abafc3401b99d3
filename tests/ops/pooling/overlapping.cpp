#include <ebb/ops/pooling/max_cpu.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

namespace {

using namespace ebb;

/// The kernels of windows of three that overlap against their definitions, for one geometry.
template <class T>
void check_overlapping(const Shape<4>& shape, Size2 stride, Size2 padding, bool ceil_mode) {
  INFO(message(shape, ", stride ", stride, ", padding ", padding, ", ceil mode ", ceil_mode));
  const auto g = kernel::pool2d_geometry("pool", shape, 3, stride, padding, 1, ceil_mode);
  REQUIRE(kernel::detail::threes(g));
  const auto seed = static_cast<std::uint64_t>(shape[2] + shape[3]);
  const Shape<4> out{shape[0], shape[1], g.y.out, g.x.out};
  Tensor<T, 4> x = test::random<T>(shape, seed, -1, 1);
  for (Index i = 1; i < x.size(); i += 3) x.mutable_data()[i] = x.data()[i - 1];  // equal ones
  for (Index i = 5; i < x.size(); i += 37)
    x.mutable_data()[i] = std::numeric_limits<T>::quiet_NaN();
  for (Index i = 7; i < x.size(); i += 41)
    x.mutable_data()[i] = -std::numeric_limits<T>::infinity();
  const auto dy = test::random<T>(out, seed + 1, -1, 1);

  Tensor<T, 4> y(out), expected(out);
  Tensor<int, 4> at(out), expected_at(out);
  kernel::reference::max_pool2d_forward(g, x.view(), expected.mut(), expected_at.mut());
  max_pool2d_forward(Cpu{}, g, x.view(), y.mut(), at.mut());
  CHECK(test::same_bits(y, expected));
  CHECK(at.values() == expected_at.values());
  max_pool2d_forward(Cpu{}, g, x.view(), y.mut(), View<int, 4>{});
  CHECK(test::same_bits(y, expected));

  for (const bool add : {false, true}) {
    Tensor<T, 4> dx = test::random<T>(shape, seed + 2, -1, 1);
    const Tensor<T, 4> expected_dx = dx.clone();
    max_pool2d_backward(Cpu{}, g, at.view(), dy.view(), test::into(dx, add));
    kernel::reference::max_pool2d_backward(g, at.view(), dy.view(), test::into(expected_dx, add));
    CHECK(test::absolute_difference(dx, expected_dx) == 0);
  }
}

}  // namespace

TEST_CASE("windows of three that overlap pool as their definition says, for images of any width") {
  test::each_isa([](Isa set) {
    INFO(to_string(set));
    for (const Index stride : {1, 2})
      for (const Index padding : {0, 1})
        for (const bool ceil_mode : {false, true}) {
          for (Index width = 3; width < 42; ++width)
            for (const Index height : {3, 6}) {
              check_overlapping<float>(Shape{1, 3, height, width}, stride, padding, ceil_mode);
              check_overlapping<double>(Shape{1, 2, height, width}, stride, padding, ceil_mode);
            }
          check_overlapping<float>(Shape{1, 1, 5, 1031}, stride, padding, ceil_mode);
        }
    check_overlapping<float>(Shape{1, 2, 9, 20}, {1, 2}, {1, 0}, false);
    check_overlapping<float>(Shape{1, 2, 9, 20}, {2, 1}, {0, 1}, false);
  });
}

TEST_CASE("windows of three give the same bits for any number of threads") {
  const Shape<4> shape{3, 5, 64, 66};
  const auto g = kernel::pool2d_geometry("pool", shape, 3, 2, 1, 1, false);
  const auto x = test::random<float>(shape, 5, -1, 1);
  const Shape<4> out{3, 5, g.y.out, g.x.out};
  test::check_threads([&] {
    const Tensor<float, 4> y(out), dx(shape);
    const Tensor<int, 4> at(out);
    max_pool2d_forward(Cpu{}, g, x.view(), y.mut(), at.mut());
    max_pool2d_backward(Cpu{}, g, at.view(), y.view(), test::into(dx));
    return dx;
  });
}
