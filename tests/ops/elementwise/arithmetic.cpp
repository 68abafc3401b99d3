#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/reduce/sum.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

TEST_CASE("operators: values and gradients as PyTorch has them", "[ops][arithmetic]") {
  // a = torch.tensor([[1., -2., 3.]], dtype=torch.float64, requires_grad=True)
  // b = torch.tensor([[2.], [-4.]], dtype=torch.float64, requires_grad=True)
  // w = torch.tensor([[1., 2., 3.], [4., 5., 6.]], dtype=torch.float64)
  // for y in (a + b, a - b, a * b, a / b):
  //     a.grad = b.grad = None; (y * w).sum().backward()
  //     print(y.flatten().tolist(), a.grad.flatten().tolist(), b.grad.flatten().tolist())
  const Tensor<double, 2> a({1, 3}, {1, -2, 3}), b({2, 1}, {2, -4}), w({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto check = [&](auto op, const std::vector<double>& y, const std::vector<double>& da,
                         const std::vector<double>& db) {
    Tape tape;
    const auto va = tape.watch(a), vb = tape.watch(b);
    const auto result = op(va, vb);
    CHECK(test::difference(result.value(), y) < 1e-15);
    backward(result, w);
    CHECK(test::difference(va.grad(), da) < 1e-15);
    CHECK(test::difference(vb.grad(), db) < 1e-15);
    CHECK_GRADIENTS(op, a, b);
    CHECK_GRADIENTS(op, test::random<double>(Shape{2, 3}, 1), test::random<double>(Shape{2, 3}, 2));
    CHECK_GRADIENTS(op, test::random<double>(Shape{3}, 1), test::random<double>(Shape<0>{}, 2));
  };
  check([](const auto& x, const auto& y) { return x + y; }, {3.0, 0.0, 5.0, -3.0, -6.0, -1.0},
        {5.0, 7.0, 9.0}, {6.0, 15.0});
  check([](const auto& x, const auto& y) { return x - y; }, {-1.0, -4.0, 1.0, 5.0, 2.0, 7.0},
        {5.0, 7.0, 9.0}, {-6.0, -15.0});
  check([](const auto& x, const auto& y) { return x * y; }, {2.0, -4.0, 6.0, -4.0, 8.0, -12.0},
        {-14.0, -16.0, -18.0}, {6.0, 12.0});
  check([](const auto& x, const auto& y) { return x / y; }, {0.5, -1.0, 1.5, -0.25, 0.5, -0.75},
        {-0.5, -0.25, 0.0}, {-1.5, -0.75});
}

TEST_CASE("operators with plain numbers, on either side", "[ops][arithmetic]") {
  const Tensor<double, 1> x({3}, {1, -2, 4}), dy({3}, {1, 10, 100});
  const auto check = [&](auto op, const std::vector<double>& y, const std::vector<double>& dx) {
    CHECK(op(x).values() == y);
    Tape tape;
    const auto v = tape.watch(x);
    const auto result = op(v);
    backward(result, dy);
    CHECK(result.value().values() == y);
    CHECK(v.grad().values() == dx);
    CHECK_GRADIENTS(op, x);
  };
  check([](const auto& v) { return v + 2; }, {3, 0, 6}, {1, 10, 100});
  check([](const auto& v) { return 2.0f + v; }, {3, 0, 6}, {1, 10, 100});
  check([](const auto& v) { return v - 2; }, {-1, -4, 2}, {1, 10, 100});
  check([](const auto& v) { return 2 - v; }, {1, 4, -2}, {-1, -10, -100});
  check([](const auto& v) { return v * 3; }, {3, -6, 12}, {3, 30, 300});
  check([](const auto& v) { return 3 * v; }, {3, -6, 12}, {3, 30, 300});
  check([](const auto& v) { return v / 4; }, {0.25, -0.5, 1}, {0.25, 2.5, 25});
  check([](const auto& v) { return 8 / v; }, {8, -4, 2}, {-8, -20, -50});
  check([](const auto& v) { return -v; }, {-1, 2, -4}, {-1, -10, -100});
  check([](const auto& v) { return maximum(v, 2); }, {2, 2, 4}, {0, 0, 100});
  check([](const auto& v) { return minimum(v, 2); }, {1, -2, 2}, {1, 10, 0});
}

TEST_CASE("operators keep the tensor's type: a double beside floats stays a float",
          "[ops][arithmetic]") {
  const Tensor<float, 1> x({2}, {1, 2});
  static_assert(std::is_same_v<decltype(x * 0.5), Tensor<float, 1>>);
  CHECK((x * 0.1).values() == std::vector<float>{0.1f, 0.2f});
  CHECK((Tensor<int, 1>({2}, {7, -7}) / 2).values() == std::vector<int>{3, -3});
  static_assert(std::is_same_v<decltype(x + Tensor<float, 3>()), Tensor<float, 3>>);
}

TEST_CASE("maximum and minimum: ties share the gradient by halves, nan wins", "[ops][arithmetic]") {
  // a = torch.tensor([1., 2., 3., nan, 0.], requires_grad=True)
  // b = torch.tensor([2., 2., 1., 0., nan], requires_grad=True)
  // torch.maximum(a, b)[:3].sum().backward(); print(a.grad, b.grad)  # 0 .5 1, 1 .5 0
  const Tensor<double, 1> a({5}, {1, 2, 3, NAN, 0}), b({5}, {2, 2, 1, 0, NAN});
  Tape tape;
  const auto va = tape.watch(a), vb = tape.watch(b);
  const auto larger = maximum(va, vb);
  backward(larger, Tensor<double, 1>::ones({5}));
  const auto da = va.grad(), db = vb.grad();
  for (Index i = 0; i < 3; ++i) {
    CHECK(larger.value()(i) == std::vector<double>{2, 2, 3}[static_cast<std::size_t>(i)]);
    CHECK(da(i) == std::vector<double>{0, 0.5, 1}[static_cast<std::size_t>(i)]);
    CHECK(da(i) + db(i) == 1);
    CHECK(minimum(a, b)(i) == std::vector<double>{1, 2, 1}[static_cast<std::size_t>(i)]);
  }
  for (Index i = 3; i < 5; ++i) {
    CHECK(std::isnan(larger.value()(i)));
    CHECK(std::isnan(minimum(a, b)(i)));
  }
  const auto p = test::random<double>(Shape{2, 3}, 1);
  const auto q = test::random<double>(Shape{3}, 2);
  CHECK_GRADIENTS([](const auto& x, const auto& y) { return maximum(x, y); }, p, q);
  CHECK_GRADIENTS([](const auto& x, const auto& y) { return minimum(x, y); }, p, q);
  const auto low = tape.watch(Tensor<double, 1>({1}, {2}));
  backward(minimum(low, Tensor<double, 1>({1}, {2})), Tensor<double, 1>::ones({1}));
  CHECK(low.grad()(0) == 0.5);
}

TEST_CASE("a gradient that is handed on is not copied, and not changed by later additions",
          "[ops][arithmetic]") {
  const auto x = test::random<double>(Shape{4, 3}, 1);
  Tape tape;
  const auto a = tape.watch(x), b = tape.watch(x);
  const auto dy = test::random<double>(Shape{4, 3}, 2);
  backward(a + b, dy);
  CHECK(a.grad().data() == dy.data());
  CHECK(b.grad().data() == dy.data());

  // Both sides of one addition, and a product on top of them: dx = 2 dy + 3 dy.
  Tape second;
  const auto v = second.watch(x);
  backward(v + v + 3 * v, dy);
  CHECK(test::difference(v.grad(), 5 * dy) < 1e-15);
  CHECK(test::same_bits(dy, test::random<double>(Shape{4, 3}, 2)));

  // Another rank of the same size is handed on too.
  Tape third;
  const auto row = third.watch(Tensor<double, 1>({3}, {1, 2, 3}));
  const Tensor<double, 2> d({1, 3}, {4, 5, 6});
  backward(row + Tensor<double, 2>::zeros({1, 3}), d);
  CHECK(row.grad().values() == d.values());
  CHECK(row.grad().data() == d.data());
}

TEST_CASE("add and sub save neither operand; mul saves both", "[ops][arithmetic]") {
  const auto users = [](auto op) {
    Tape tape;
    const auto a = tape.watch(Tensor<double, 1>::ones({4}) + 1);
    Tensor<double, 1> b = Tensor<double, 1>::ones({4});
    op(a, b);
    return b.shared();
  };
  CHECK_FALSE(users([](const auto& a, const auto& b) { return a + b; }));
  CHECK_FALSE(users([](const auto& a, const auto& b) { return a - b; }));
  CHECK(users([](const auto& a, const auto& b) { return a * b; }));
}

TEST_CASE("operators on parameters and dual numbers", "[ops][arithmetic]") {
  const Param<Tensor<double, 1>> p(Tensor<double, 1>({2}, {3, 4}));
  Tape tape;
  const auto x = tape.watch(Tensor<double, 1>({2}, {1, 2}));
  backward(sum(x * p - tape.watch(p) / 2));
  CHECK(p.grad().values() == std::vector<double>{0.5, 1.5});
  CHECK(x.grad().values() == std::vector<double>{3, 4});
  // Without a variable a parameter is refused (tests/compile_fail), unless it is to be a constant.
  static_assert(is_tensor<decltype(detach(p) / 2)>);

  const auto f = [](const auto& v) { return (2 - v) * v / (v + 3) - 1 / v; };
  const auto at = test::random<double>(Shape{2, 3}, 1, 0.5, 2),
             along = test::random<double>(Shape{2, 3}, 2);
  const auto y = jvp(f, at, along);
  CHECK(test::difference(y.value, f(at)) < 1e-15);
  const double h = 1e-6;
  CHECK(test::difference(y.tangent, (f(at + h * along) - f(at - h * along)) / (2 * h)) < 1e-8);
}

TEST_CASE("operators: the op and the layer are named in errors", "[ops][arithmetic]") {
  const Tensor<float, 2> a(Shape{2, 3});
  const Tensor<float, 1> b(Shape{2});
  CHECK(test::contains(test::error_of<ShapeError>([&] { a + b; }), "add: shapes (2, 3) and (2)"));
  CHECK(test::contains(test::error_of<ShapeError>([&] { a - b; }), "sub: shapes"));
  CHECK(test::contains(test::error_of<ShapeError>([&] { a* b; }), "mul: shapes"));
  CHECK(test::contains(test::error_of<ShapeError>([&] { a / b; }), "div: shapes"));
  CHECK(test::contains(test::error_of<ShapeError>([&] { maximum(a, b); }), "maximum: shapes"));
  CHECK(test::contains(test::error_of<ShapeError>([&] { minimum(a, b); }), "minimum: shapes"));
}
