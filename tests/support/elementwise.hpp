/// \file
/// What has to hold for every elementwise function.
#pragma once

#include <ebb/ops/elementwise/square.hpp>
#include <ebb/ops/reduce/sum.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

namespace ebb::test {

/// The gradient of f at x, started from `dy`; with `passes` backward passes it is that many times
/// as large, because gradients add up.
template <class F, class T, int N>
Tensor<T, N> gradient(F f, const Tensor<T, N>& x, const Tensor<T, N>& dy, int passes = 1) {
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = f(v);
  for (int pass = 0; pass < passes; ++pass) backward(y, dy, Retain::yes);
  return v.grad();
}

/// Checks f at six points against values and slopes that PyTorch computed, in double and float;
/// against central differences, at several ranks; with dual numbers, forward and through the tape;
/// and with several threads.
template <class F>
void check_elementwise(F f, const std::vector<double>& points, const std::vector<double>& values,
                       const std::vector<double>& slopes) {
  REQUIRE(points.size() == 6);
  const auto x = Tensor<double, 1>::from(Shape{6}, points);
  const auto dy = Tensor<double, 1>({6}, {1, -2, 0.5, 3, -1, 2});
  std::vector<double> dx, twice;
  for (std::size_t i = 0; i < 6; ++i) dx.push_back(slopes[i] * dy.values()[i]);
  for (double d : dx) twice.push_back(2 * d);

  CHECK(difference(f(x), values) < 1e-14);
  CHECK(difference(gradient(f, x, dy), dx) < 1e-14);
  CHECK(difference(gradient(f, x, dy, 2), twice) < 1e-14);

  const std::vector<float> narrow(points.begin(), points.end());
  const auto xf = Tensor<float, 1>::from(Shape{6}, narrow);
  CHECK(difference(f(xf), values) < 2e-6);
  CHECK(difference(gradient(f, xf, Tensor<float, 1>({6}, {1, -2, 0.5, 3, -1, 2})), dx) < 2e-6);

  CHECK_GRADIENTS(f, x);
  CHECK_GRADIENTS(f, x.reshape(Shape{2, 1, 3}));
  CHECK_GRADIENTS(f, Tensor<double, 0>(points[4]));

  // Forward mode, and forward over reverse against differences of gradients.
  const auto tangent = jvp(f, x, dy);
  CHECK(difference(tangent.value, values) < 1e-14);
  CHECK(difference(tangent.tangent, dx) < 1e-14);
  const auto loss = [&](const auto& v) { return sum(square(f(v))); };
  const auto grad_at = [&](double step) {
    std::vector<double> moved = points;
    for (std::size_t i = 0; i < 6; ++i) moved[i] += step * dy.values()[i];
    Tape tape;
    const auto v = tape.watch(Tensor<double, 1>::from(Shape{6}, moved));
    backward(loss(v));
    return v.grad().values();
  };
  const auto above = grad_at(1e-5), below = grad_at(-1e-5);
  std::vector<double> product;
  for (std::size_t i = 0; i < 6; ++i) product.push_back((above[i] - below[i]) / 2e-5);
  CHECK(difference(hvp(loss, x, dy).product, product) < 1e-6);

  const auto many = random<float>(Shape{100003}, 3, points.front(), points.back());
  CHECK(same_for_any_threads([&] { return f(many); }));
  CHECK(same_for_any_threads([&] { return gradient(f, many, many); }));
}

}  // namespace ebb::test
