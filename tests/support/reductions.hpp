/// \file
/// What has to hold for every reduction over axes.
#pragma once

#include <ebb/ops/reduce/axes.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

#include <string>
#include <vector>

namespace ebb::test {

/// The elements that fold into each result, in row-major order of the results.
template <class T, int N>
std::vector<std::vector<T>> groups(const Tensor<T, N>& x, const std::vector<int>& axes) {
  const auto folded = [&](int axis) {
    for (int a : axes)
      if (a == axis) return true;
    return false;
  };
  Shape<N> kept = x.shape();
  for (int axis = 0; axis < N; ++axis)
    if (folded(axis)) kept[axis] = 1;
  std::vector<std::vector<T>> result(static_cast<std::size_t>(kept.size()));
  for (Index i = 0; i < x.size(); ++i) {
    Index at = 0;
    for (int axis = 0; axis < N; ++axis) {
      const Index index = i / x.shape().stride(axis) % x.shape()[axis];
      if (!folded(axis)) at += index * kept.stride(axis);
    }
    result[static_cast<std::size_t>(at)].push_back(x.data()[i]);
  }
  return result;
}

/// Checks `reduce(x, axes...)` against `scalar(elements)` on each group of elements, for every way
/// to name axes of tensors of rank 0 to 4; its gradients against differences; threads; dual
/// numbers.
template <class Reduce, class Scalar>
void check_reduction(Reduce reduce, Scalar scalar) {
  const auto expected = [&](const auto& x, const std::vector<int>& axes) {
    std::vector<double> y;
    for (const auto& group : groups(x, axes)) y.push_back(scalar(group));
    return y;
  };
  const auto check = [&](const auto& y, const auto& shape, const std::vector<double>& values) {
    CHECK(y.shape() == shape);
    CHECK(difference(y, values) < 1e-13);
  };
  const auto x = random<double>(Shape{2, 3, 4, 5}, 1);
  check(reduce(x), Shape<0>{}, expected(x, {0, 1, 2, 3}));
  check(reduce(x, 0), Shape{3, 4, 5}, expected(x, {0}));
  check(reduce(x, 1), Shape{2, 4, 5}, expected(x, {1}));
  check(reduce(x, -1), Shape{2, 3, 4}, expected(x, {3}));
  check(reduce(x, 2, keep_axis), Shape{2, 3, 1, 5}, expected(x, {2}));
  check(reduce(x, Axes{0, 1}), Shape{4, 5}, expected(x, {0, 1}));
  check(reduce(x, Axes{0, -1}), Shape{3, 4}, expected(x, {0, 3}));
  check(reduce(x, Axes{1, 3}), Shape{2, 4}, expected(x, {1, 3}));
  check(reduce(x, Axes{3, 2, 0}), Shape{3}, expected(x, {0, 2, 3}));
  check(reduce(x, Axes{0, 2, 3}, keep_axis), Shape{1, 3, 1, 1}, expected(x, {0, 2, 3}));
  check(reduce(x, Axes{0, 1, 2, 3}), Shape<0>{}, expected(x, {0, 1, 2, 3}));
  const auto thin = random<double>(Shape{1, 6, 1}, 2);
  check(reduce(thin, 1), Shape{1, 1}, expected(thin, {1}));
  check(reduce(thin, Axes{0, 1}, keep_axis), Shape{1, 1, 1}, expected(thin, {0, 1}));

  // Large enough for every way of cutting the work.
  const auto compare = [&](const auto& large, const auto& axes, const std::vector<int>& list) {
    CHECK(difference(reduce(large, axes).values(), expected(large, list)) < 1e-12);
  };
  const auto tall = random<double>(Shape{1000, 3}, 3);
  const auto wide = random<double>(Shape{3, 50000}, 4);
  const auto block = random<double>(Shape{40, 5, 900}, 5);
  const auto deep = random<double>(Shape{3, 300, 270}, 6);
  compare(tall, 0, {0});
  compare(tall, 1, {1});
  compare(wide, 0, {0});
  compare(wide, 1, {1});
  compare(wide, Axes{0, 1}, {0, 1});
  compare(block, Axes{0, 2}, {0, 2});
  compare(block, 1, {1});
  compare(deep, 1, {1});
  compare(deep, Axes{0, 1}, {0, 1});

  CHECK_GRADIENTS([&](const auto& v) { return reduce(v); }, random<double>(Shape{7}, 1));
  CHECK_GRADIENTS([&](const auto& v) { return reduce(v, 0); }, random<double>(Shape{4, 3}, 1));
  CHECK_GRADIENTS([&](const auto& v) { return reduce(v, -1); }, random<double>(Shape{4, 3}, 2));
  CHECK_GRADIENTS([&](const auto& v) { return reduce(v, 1, keep_axis); },
                  random<double>(Shape{2, 3, 2}, 3));
  CHECK_GRADIENTS(
      [&](const auto& v) {
        return reduce(v, Axes{0, 2});
      },
      random<double>(Shape{2, 3, 4}, 4));
  CHECK_GRADIENTS(
      [&](const auto& v) {
        return reduce(v, Axes{0, 2, 3}, keep_axis);
      },
      random<double>(Shape{2, 3, 2, 1}, 5));

  // Gradients add up.
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = reduce(v, 1);
  const auto dy = random<double>(Shape{2, 4, 5}, 7);
  backward(y, dy, Retain::yes);
  const std::vector<double> once = v.grad().values();
  backward(y, dy);
  std::vector<double> twice;
  for (double d : once) twice.push_back(2 * d);
  CHECK(difference(v.grad(), twice) < 1e-15);

  const auto images = random<float>(Shape{64, 3, 40, 30}, 8);
  const auto same = [&](const auto&... axes) {
    CHECK(same_for_any_threads([&] { return reduce(images, axes...); }));
    CHECK(same_for_any_threads([&] {
      Tape recorded;
      const auto w = recorded.watch(images);
      const auto result = reduce(w, axes...);
      backward(result, std::remove_cvref_t<decltype(result.value())>::full(result.shape(), 0.3f));
      return w.grad();
    }));
  };
  same();
  same(0);
  same(3);
  same(Axes{0, 2, 3});

  // Forward mode.
  const auto direction = random<double>(Shape{2, 3, 4, 5}, 9);
  const auto f = [&](const auto& u) { return reduce(u, Axes{1, 2}); };
  const auto along = jvp(f, x, direction);
  CHECK(difference(along.value, f(x)) < 1e-15);
  const auto moved = [&](double h) {
    Tensor<double, 4> z = x.clone();
    for (Index i = 0; i < z.size(); ++i) z.mutable_data()[i] += h * direction.data()[i];
    return f(z).values();
  };
  const auto above = moved(1e-6), below = moved(-1e-6);
  std::vector<double> numeric;
  for (std::size_t i = 0; i < above.size(); ++i) numeric.push_back((above[i] - below[i]) / 2e-6);
  CHECK(difference(along.tangent, numeric) < 1e-7);
}

/// Checks what every reduction says of axes that are not there.
template <class Reduce>
void check_axis_errors(const std::string& name, Reduce reduce) {
  const Tensor<float, 2> x(Shape{2, 3});
  CHECK(error_of<ShapeError>([&] { reduce(x, 2); }) ==
        name + ": axis 2 is out of range for a tensor of rank 2; use -2 to 1");
  CHECK(
      contains(error_of<ShapeError>([&] { reduce(x, -3, keep_axis); }), "axis -3 is out of range"));
  CHECK(error_of<ShapeError>([&] { reduce(x, Axes{1, -1}); }) == name + ": axis -1 is given twice");
}

/// Checks that a reduction refuses to fold no elements, but folds into no results.
template <class Reduce>
void check_empty_errors(const std::string& name, Reduce reduce) {
  const Tensor<float, 2> x(Shape{0, 3});
  const std::string text = name + ": a tensor of shape (0, 3) has no elements to reduce, and the " +
                           name + " of none is not defined";
  CHECK(error_of<ShapeError>([&] { reduce(x); }) == text);
  CHECK(error_of<ShapeError>([&] { reduce(x, 0); }) == text);
  CHECK(reduce(x, 1).shape() == Shape{0});
}

}  // namespace ebb::test
