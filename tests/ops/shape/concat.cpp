#include <ebb/ops/shape/concat.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

#include <type_traits>

using namespace ebb;
using test::contains;

TEST_CASE("concat joins along an axis", "[ops][concat]") {
  const Tensor<float, 2> a({2, 2}, {1, 2, 3, 4}), b({2, 1}, {5, 6}), c({1, 2}, {7, 8});
  CHECK(concat({a, b}, 1).values() == std::vector<float>{1, 2, 5, 3, 4, 6});
  CHECK(concat({a, b}, -1).shape() == Shape{2, 3});
  CHECK(concat({a, c}, 0).values() == std::vector<float>{1, 2, 3, 4, 7, 8});
  CHECK(concat(std::vector{a}, 0).values() == a.values());
  CHECK(concat<1>(a, b, a).values() == std::vector<float>{1, 2, 5, 1, 2, 3, 4, 6, 3, 4});
  CHECK(concat<-2>(a, c).values() == concat({a, c}, 0).values());
}

TEST_CASE("concat: what cannot be joined", "[ops][concat]") {
  const auto a = test::random<float>(Shape{2, 3}), b = test::random<float>(Shape{4, 2});
  const auto text = test::error_of<ShapeError>([&] { concat({a, b}, 1); });
  CHECK(contains(text, "concat: operand 1 has shape (4, 2)"));
  CHECK(contains(text, "extent 2 on axis 0"));
  CHECK(contains(text, "only axis 1"));
  CHECK(test::error_of<ShapeError>([] { concat(std::vector<Tensor<float, 2>>{}, 0); }) ==
        "concat: the list of operands is empty; give at least one");
  CHECK(contains(test::error_of<ShapeError>([&] { concat({a, a}, 2); }), "axis 2 is out of range"));
  CHECK(contains(test::error_of<ShapeError>([&] { concat<0>(a, b); }), "has shape (4, 2)"));
}

TEST_CASE("concat: gradients", "[ops][concat]") {
  const auto a = test::random<double>(Shape{2, 3, 2}, 1),
             b = test::random<double>(Shape{2, 1, 2}, 2);
  CHECK_GRADIENTS([](const auto& x, const auto& y) { return concat({x, y, x}, 1); }, a, b);
  CHECK_GRADIENTS([](const auto& x, const auto& y) { return concat<1>(x, y); }, a, b);
  CHECK_GRADIENTS(
      [](const auto& x, const auto& y) {
        return concat({x, y}, 0);
      },
      test::random<double>(Shape{1}, 1), test::random<double>(Shape{3}, 2));
  CHECK_GRADIENTS(
      [](const auto& x, const auto& y) {
        return concat({x, y}, 2);
      },
      test::random<double>(Shape{1, 1, 1}, 1), test::random<double>(Shape{1, 1, 4}, 2));
}

TEST_CASE("concat: tensors, variables and parameters together", "[ops][concat]") {
  const auto plain = Tensor<float, 2>::ones(Shape{2, 1});
  const Param<Tensor<float, 2>> p(Tensor<float, 2>::full(Shape{2, 2}, 5));
  Tape tape;
  const auto v = tape.watch(Tensor<float, 2>::full(Shape{2, 1}, 3));
  const auto y = concat<1>(plain, v, p);
  static_assert(is_var<std::remove_cvref_t<decltype(y)>>);
  CHECK(y.value().values() == std::vector<float>{1, 3, 5, 5, 1, 3, 5, 5});
  backward(y, Tensor<float, 2>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK(v.grad().values() == std::vector<float>{2, 6});
  CHECK(p.grad().values() == std::vector<float>{3, 4, 7, 8});
  static_assert(is_tensor<decltype(concat<1>(plain, detach(p)))>);
}

TEST_CASE("concat: operands of which none wants a gradient", "[ops][concat]") {
  Tape tape;
  const auto x = tape.input(Tensor<float, 1>::ones(Shape{2}));
  const auto w = tape.watch(Tensor<float, 1>::ones(Shape{1}));
  CHECK_FALSE(concat({x, x}, 0).wants_grad());
  const auto y = concat({x, w}, 0);
  backward(y, Tensor<float, 1>({3}, {1, 2, 3}));
  CHECK(w.grad().values() == std::vector<float>{3});
}

TEST_CASE("concat: dual numbers", "[ops][concat]") {
  const Tensor<Dual<double>, 1> x({1}, {Dual<double>(1, 2)});
  CHECK(concat({x, x}, 0)(1).tangent == 2);
}

TEST_CASE("concat: a large one has the same bits for any number of threads", "[ops][concat]") {
  const auto a = test::random<float>(Shape{64, 33, 40}, 1),
             b = test::random<float>(Shape{64, 7, 40}, 2);
  CHECK(test::same_for_any_threads([&] { return concat({a, b}, 1); }));
  const auto y = concat({a, b}, 1);
  CHECK(y(63, 32, 39) == a(63, 32, 39));
  CHECK(y(63, 33, 0) == b(63, 0, 0));
}

TEST_CASE("concat: labels are tensors too", "[ops][concat]") {
  const Tensor<int, 1> a({2}, {1, 2}), b({1}, {3});
  CHECK(concat({a, b}, 0).values() == std::vector<int>{1, 2, 3});
}
