#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/elementwise/broadcast.hpp>
#include <ebb/ops/reduce/sum.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

namespace {

// A binary operation as a user writes it: ten lines.
struct Distance : Binary<Distance> {
  static constexpr const char* name = "distance";
  template <class T>
  EBB_HD T value(T a, T b) const {
    using std::sqrt;
    return sqrt(a * a + b * b);
  }
  template <class T>
  EBB_HD T slope_a(T a, T b) const {
    return a / value(a, b);
  }
  template <class T>
  EBB_HD T slope_b(T a, T b) const {
    return b / value(a, b);
  }
};
constexpr Distance distance;

/// Position of the element of a tensor of shape `part` that broadcasts to element `at` of `whole`.
template <int M, int N>
Index position(const Shape<M>& part, const Shape<N>& whole, Index at) {
  Index result = 0, stride = 1;
  for (int axis = N - 1; axis >= 0; --axis) {
    const Index index = at % whole[axis];
    at /= whole[axis];
    const int own = axis - (N - M);
    if (own < 0) continue;
    if (part[own] > 1) result += index * stride;
    stride *= part[own];
  }
  return result;
}

/// Compares y = distance(a, b) and both gradients with loops over single elements, in long double.
template <class T, int NA, int NB, int N>
void compare_with_loops(const Shape<NA>& sa, const Shape<NB>& sb, const Shape<N>& expected,
                        double tolerance) {
  INFO(to_string(sa) << " with " << to_string(sb));
  const auto a = test::random<T>(sa, 1, 0.5, 2);
  const auto b = test::random<T>(sb, 2, -2, -0.5);
  const auto dy = test::random<T>(expected, 3);
  Tape tape;
  const auto va = tape.watch(a);
  const auto vb = tape.watch(b);
  const auto y = distance(va, vb);
  REQUIRE(y.shape() == expected);
  backward(y, dy);

  std::vector<double> values;
  std::vector<long double> da(static_cast<std::size_t>(a.size())),
      db(static_cast<std::size_t>(b.size()));
  for (Index i = 0; i < dy.size(); ++i) {
    const Index at_a = position(sa, expected, i), at_b = position(sb, expected, i);
    const long double u = a.data()[at_a], v = b.data()[at_b], r = std::sqrt(u * u + v * v);
    values.push_back(static_cast<double>(r));
    da[static_cast<std::size_t>(at_a)] += u / r * static_cast<long double>(dy.data()[i]);
    db[static_cast<std::size_t>(at_b)] += v / r * static_cast<long double>(dy.data()[i]);
  }
  CHECK(test::difference(y.value(), values) < tolerance);
  CHECK(test::difference(va.grad().values(), da) < tolerance);
  CHECK(test::difference(vb.grad().values(), db) < tolerance);
}

template <int NA, int NB, int N>
void compare_both_ways(const Shape<NA>& a, const Shape<NB>& b, const Shape<N>& y) {
  compare_with_loops<double>(a, b, y, 1e-12);
  compare_with_loops<double>(b, a, y, 1e-12);
  compare_with_loops<float>(a, b, y, 2e-5);
}

}  // namespace

TEST_CASE("broadcasting: every pattern against loops over single elements", "[ops][broadcast]") {
  compare_both_ways(Shape<0>{}, Shape<0>{}, Shape<0>{});
  compare_both_ways(Shape<0>{}, Shape{1, 1}, Shape{1, 1});
  compare_both_ways(Shape{2, 3}, Shape{2, 3}, Shape{2, 3});
  compare_both_ways(Shape{2, 3}, Shape<0>{}, Shape{2, 3});
  compare_both_ways(Shape{2, 3}, Shape{3}, Shape{2, 3});
  compare_both_ways(Shape{2, 3}, Shape{1}, Shape{2, 3});
  compare_both_ways(Shape{2, 3}, Shape{2, 1}, Shape{2, 3});
  compare_both_ways(Shape{3, 1}, Shape{1, 4}, Shape{3, 4});
  compare_both_ways(Shape{3, 1}, Shape{4}, Shape{3, 4});
  compare_both_ways(Shape{2, 3, 4, 5}, Shape{1, 3, 1, 1}, Shape{2, 3, 4, 5});
  compare_both_ways(Shape{2, 3, 4, 5}, Shape{3, 1, 5}, Shape{2, 3, 4, 5});
  compare_both_ways(Shape{2, 1, 4, 1}, Shape{1, 3, 1, 5}, Shape{2, 3, 4, 5});
  compare_both_ways(Shape{1, 1, 3}, Shape{2, 1, 1}, Shape{2, 1, 3});
  compare_both_ways(Shape{1, 5, 1}, Shape{7, 1, 3}, Shape{7, 5, 3});
}

TEST_CASE("broadcasting: large extents, where sums go in parts", "[ops][broadcast]") {
  compare_both_ways(Shape{300, 7}, Shape{7}, Shape{300, 7});         // rows in groups
  compare_both_ways(Shape{130, 300}, Shape{300}, Shape{130, 300});   // several tiles
  compare_both_ways(Shape{3, 40000}, Shape{3, 1}, Shape{3, 40000});  // one row in pieces
  compare_both_ways(Shape{5, 3, 20000}, Shape{3, 1}, Shape{5, 3, 20000});
  compare_both_ways(Shape{40, 3, 700}, Shape{3, 1}, Shape{40, 3, 700});  // several rows a piece
  compare_both_ways(Shape{9000, 5}, Shape{9000, 1}, Shape{9000, 5});
  compare_both_ways(Shape{50001}, Shape<0>{}, Shape{50001});
  compare_both_ways(Shape{200, 2, 9, 3}, Shape{2, 1, 3}, Shape{200, 2, 9, 3});
}

TEST_CASE("broadcasting: gradients against differences", "[ops][broadcast]") {
  const auto f = [](const auto& a, const auto& b) { return distance(a, b); };
  CHECK_GRADIENTS(f, test::random<double>(Shape{2, 3}, 1), test::random<double>(Shape{3}, 2));
  CHECK_GRADIENTS(f, test::random<double>(Shape{2, 1, 2}, 1), test::random<double>(Shape{3, 1}, 2));
  CHECK_GRADIENTS(f, test::random<double>(Shape<0>{}, 1), test::random<double>(Shape{1, 2}, 2));
  CHECK_GRADIENTS([](const auto& a) { return distance(a, a * a); },
                  test::random<double>(Shape{2, 2}));
}

TEST_CASE("broadcasting: dual numbers carry the derivative", "[ops][broadcast]") {
  const auto a = test::random<double>(Shape{2, 3}, 1), v = test::random<double>(Shape{2, 3}, 2);
  const auto f = [](const auto& x) { return distance(x, sum(x, 0)); };
  const auto y = jvp(f, a, v);
  CHECK(test::difference(y.value, f(a)) < 1e-15);
  const double h = 1e-6;
  const Tensor<double, 2> numeric = (f(a + h * v) - f(a - h * v)) / (2 * h);
  CHECK(test::difference(y.tangent, numeric) < 1e-8);
}

TEST_CASE("broadcasting: the same bits for any number of threads", "[ops][broadcast]") {
  const auto x = test::random<float>(Shape{64, 16, 14, 14}, 1);
  const auto check = [&](const auto& b) {
    CHECK(test::same_for_any_threads([&] { return distance(x, b); }));
    CHECK(test::same_for_any_threads([&] {
      Tape tape;
      const auto v = tape.watch(b);
      backward(distance(tape.input(x), v), x);
      return v.grad();
    }));
  };
  check(test::random<float>(Shape{16, 1, 1}, 2));
  check(test::random<float>(Shape{14}, 2));
  check(test::random<float>(Shape<0>{}, 2));
  check(test::random<float>(Shape{64, 1, 1, 14}, 2));
  check(test::random<float>(Shape{64, 16, 14, 14}, 2));
}

TEST_CASE("broadcasting: empty tensors", "[ops][broadcast]") {
  const Tensor<float, 2> none(Shape{0, 3});
  CHECK(distance(none, Tensor<float, 1>::ones({3})).shape() == Shape{0, 3});
  CHECK(distance(none, none).shape() == Shape{0, 3});
  // The gradient of what was repeated no times is a sum of nothing: zero, not left undefined.
  Tape tape;
  const auto b = tape.watch(Tensor<float, 1>({3}, {1, 2, 3}));
  backward(distance(none, b), none);
  CHECK(b.grad().values() == std::vector<float>{0, 0, 0});
  const auto column = tape.watch(Tensor<float, 2>({2, 1}, {1, 2}));
  backward(distance(column, Tensor<float, 1>(Shape{0})), Tensor<float, 2>(Shape{2, 0}));
  CHECK(column.grad().values() == std::vector<float>{0, 0});
}

TEST_CASE("broadcasting: shapes that do not fit", "[ops][broadcast]") {
  const Tensor<float, 2> a(Shape{2, 3});
  CHECK(
      test::error_of<ShapeError>([&] { distance(a, Tensor<float, 1>(Shape{4})); }) ==
      "distance: shapes (2, 3) and (4) do not broadcast: on axis -1 (counted from the end) one has "
      "3 elements and the other 4; they must be equal, or one of them 1");
  CHECK(contains(test::error_of<ShapeError>([&] {
                   distance(a, Tensor<float, 2>(Shape{3, 1}));
                 }),
                 "on axis -2 (counted from the end) one has 2 elements and the other 3"));
  CHECK(contains(test::error_of<ShapeError>([&] {
                   distance(a, Tensor<float, 2>(Shape{2, 0}));
                 }),
                 "(2, 3) and (2, 0)"));
  const Param<Tensor<float, 1>> p(Tensor<float, 1>(Shape{2}));
  p.set_name("block1.scale");
  CHECK(contains(test::error_of<ShapeError>([&] { distance(Tape().input(a), p); }),
                 "distance (layer block1)"));
}
