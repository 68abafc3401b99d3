/// \file
/// What tests of pooling share. `pool(x, options)` is the operation throughout.
#pragma once

#include <ebb/ops/pooling/geometry.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

namespace ebb::test {

/// Calls f(g, shape, seed, draw) for 120 windows that fit their images: some larger than vectors,
/// some with padding and in ceil mode; `draw(low, high)` goes on with the same random numbers.
template <class F>
void each_random_window(const char* op, std::uint64_t stream, Index most_dilation, F&& f) {
  const RandomStream random{stream, 0};
  std::uint64_t at = 0;
  const auto draw = [&](Index low, Index high) { return low + random.below(high - low + 1, at++); };
  for (int checked = 0; checked < 120;) {
    const Shape<4> shape{draw(1, 2), draw(1, 3), draw(1, 20),
                         draw(1, checked % 10 == 0 ? 600 : 40)};
    const Size2 window{draw(1, 4), draw(1, 4)}, stride{draw(1, 4), draw(1, 4)};
    const Size2 padding{draw(0, window.height / 2), draw(0, window.width / 2)};
    const Size2 dilation{draw(1, most_dilation), draw(1, most_dilation)};
    kernel::Pool2dGeometry g;
    try {
      g = kernel::pool2d_geometry(op, shape, window, stride, padding, dilation, draw(0, 1) == 1);
    } catch (const ShapeError&) {
      continue;
    }
    ++checked;
    f(g, shape, at, draw);
  }
}

/// Gradients for windows of every kind that both operations know.
template <class Options, class Pool>
void check_pool_gradients(const Pool& pool, const Options& last, const Shape<4>& of_last) {
  const auto check = [&](const Shape<4>& shape, const Options& options) {
    CHECK_GRADIENTS([&](const auto& x) { return pool(x, options); }, random<double>(shape));
  };
  check(Shape{2, 3, 4, 6}, {.kernel = 2});
  check(Shape{1, 1, 1, 1}, {.kernel = 1});
  check(Shape{1, 2, 3, 5}, {.kernel = {3, 5}});          // kernel = image
  check(Shape{2, 1, 7, 7}, {.kernel = 2, .stride = 3});  // stride > kernel
  check(Shape{1, 2, 6, 5}, {.kernel = 3, .stride = 1, .padding = 1});
  check(Shape{1, 1, 5, 5}, {.kernel = 2, .stride = 2, .ceil_mode = true});
  check(of_last, last);
}

/// Both passes give the same bits, whatever the number of threads.
template <class Pool>
void check_pool_threads(const Pool& pool) {
  const auto x = random<float>(Shape{4, 7, 50, 51});
  CHECK(same_for_any_threads([&] { return pool(x); }));
  CHECK(same_for_any_threads([&] {
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = pool(v);
    backward(y, y.value());
    return v.grad();
  }));
}

/// The derivative of the one result of pooling the numbers 1 and 3 while they move by 2 and 4.
template <class Pool>
double tangent_of_two(const Pool& pool) {
  const Tensor<Dual<double>, 4> x({1, 1, 1, 2}, {Dual<double>(1, 2), Dual<double>(3, 4)});
  return pool(x).item().tangent;
}

}  // namespace ebb::test
