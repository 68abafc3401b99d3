#include <ebb/ops/pooling/avg_cpu.hpp>
#include <ebb/ops/pooling/max_cpu.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

namespace {

using namespace ebb;

/// Both kernels of 2 x 2 windows side by side against their definitions, from images of `shape`.
template <class T>
void check_halving(const Shape<4>& shape, std::uint64_t seed) {
  const auto g = kernel::pool2d_geometry("pool", shape, 2, 2, 0, 1, false);
  REQUIRE(kernel::detail::halves(g));
  const Shape<4> out{shape[0], shape[1], g.y.out, g.x.out};
  Tensor<T, 4> x = test::random<T>(shape, seed, -1, 1);
  x.mutable_data()[seed % static_cast<std::uint64_t>(x.size())] =
      std::numeric_limits<T>::quiet_NaN();
  for (Index i = 1; i < x.size(); i += 3) x.mutable_data()[i] = x.data()[i - 1];  // equal ones
  const auto dy = test::random<T>(out, seed + 1, -1, 1);

  Tensor<T, 4> y(out), expected(out);
  Tensor<int, 4> at(out), expected_at(out);
  kernel::reference::max_pool2d_forward(g, x.view(), expected.mut(), expected_at.mut());
  max_pool2d_forward(Cpu{}, g, x.view(), y.mut(), at.mut());
  CHECK(test::same_bits(y, expected));
  CHECK(at.values() == expected_at.values());
  max_pool2d_forward(Cpu{}, g, x.view(), y.mut(), View<int, 4>{});
  CHECK(test::same_bits(y, expected));

  avg_pool2d_forward(Cpu{}, g, x.view(), y.mut());
  kernel::reference::avg_pool2d_forward(g, x.view(), expected.mut());
  CHECK(test::same_bits(y, expected));

  for (const bool add : {false, true}) {
    Tensor<T, 4> dx = test::random<T>(shape, seed + 2, -1, 1);
    const Tensor<T, 4> expected_dx = dx.clone();
    max_pool2d_backward(Cpu{}, g, at.view(), dy.view(), test::into(dx, add));
    kernel::reference::max_pool2d_backward(g, at.view(), dy.view(), test::into(expected_dx, add));
    CHECK(test::absolute_difference(dx, expected_dx) == 0);
    avg_pool2d_backward(Cpu{}, g, dy.view(), test::into(dx, add));
    kernel::reference::avg_pool2d_backward(g, dy.view(), test::into(expected_dx, add));
    CHECK(test::absolute_difference(dx, expected_dx) < 1e-6);
  }
}

}  // namespace

TEST_CASE("2 x 2 windows side by side pool as their definition says, for images of any width") {
  test::each_isa([](Isa set) {
    for (Index width = 2; width < 42; ++width)
      for (const Index height : {2, 3, 6}) {
        INFO(to_string(set) << ", " << height << " by " << width);
        const auto seed = static_cast<std::uint64_t>(100 * width + height);
        check_halving<float>(Shape{2, 3, height, width}, seed);
        check_halving<double>(Shape{1, 2, height, width}, seed);
      }
  });
}

TEST_CASE("2 x 2 windows give the same bits for any number of threads") {
  const Shape<4> shape{3, 5, 64, 66};
  const auto g = kernel::pool2d_geometry("pool", shape, 2, 2, 0, 1, false);
  const auto x = test::random<float>(shape, 5, -1, 1);
  const Shape<4> out{3, 5, 32, 33};
  test::check_threads([&] {
    const Tensor<float, 4> y(out), dx(shape);
    const Tensor<int, 4> at(out);
    max_pool2d_forward(Cpu{}, g, x.view(), y.mut(), at.mut());
    max_pool2d_backward(Cpu{}, g, at.view(), y.view(), test::into(dx));
    return dx;
  });
}
