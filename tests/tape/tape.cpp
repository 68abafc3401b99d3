#include <ebb/tape/backward.hpp>
#include <ebb/tape/print.hpp>

#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/elementwise/square.hpp>

#include <limits>
#include <optional>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;

namespace {

/// x + y, sharing the incoming gradient with both operands.
template <Operand X, Operand Y>
auto plus(const X& x, const Y& y) {
  tensor_of<X> z(x.shape());
  for (Index i = 0; i < z.size(); ++i)
    z.mutable_data()[i] = value(x).data()[i] + value(y).data()[i];
  return track(
      "plus", z,
      [dx = sink(x), dy = sink(y)](const auto& dz) {
        if (dx) dx.give(dz);
        if (dy) dy.give(dz);
      },
      x, y);
}

Tensor<double, 1> vector(std::initializer_list<double> values) {
  return Tensor<double, 1>({static_cast<Index>(values.size())}, values);
}

using Values = std::vector<double>;

}  // namespace

TEST_CASE("gradients flow back through a chain, and add up where paths meet", "[tape]") {
  Tape tape;
  const auto x = tape.watch(vector({1, -2, 3}));
  const auto y = plus(square(x), plus(x, x));  // x^2 + 2x
  CHECK(y.value().values() == Values{3, 0, 15});
  backward(y, vector({1, 1, 10}));
  CHECK(x.grad().values() == Values{4, -2, 80});
}

TEST_CASE("a shared gradient is copied before anything is added to it", "[tape]") {
  Tape tape;
  const auto a = tape.watch(vector({1})), b = tape.watch(vector({2}));
  const auto sum = plus(a, b);  // both gradients are this node's own
  const auto y = plus(sum, square(a));
  backward(y, vector({1}));
  CHECK(a.grad().values() == Values{3});
  CHECK(b.grad().values() == Values{1});  // untouched by what was added to a's
}

TEST_CASE("plain tensors record nothing and stay plain", "[tape]") {
  const auto y = square(vector({1, 2}));
  static_assert(is_tensor<std::remove_const_t<decltype(y)>>);
  CHECK(y.values() == Values{1, 4});

  Tape tape;
  const auto constant = square(tape.input(vector({3})));
  CHECK_FALSE(constant.wants_grad());
  CHECK(tape.size() == 0);
  CHECK_THROWS_WITH(backward(constant, vector({1})),
                    Catch::Matchers::Contains("nothing this value depends on wants a gradient"));
}

TEST_CASE("detach cuts the flow", "[tape]") {
  Tape tape;
  const auto x = tape.watch(vector({3}));
  backward(plus(detach(square(x)), x), vector({1}));
  CHECK(x.grad().values() == Values{1});
  CHECK(detach(vector({1})).values() == Values{1});
}

TEST_CASE("parameters gather gradients over backward passes until told to forget",
          "[tape][param]") {
  const Param<Tensor<double, 1>> p(vector({1, 2}));
  for (int pass = 1; pass <= 2; ++pass) {
    Tape tape;
    backward(square(tape.watch(p)), vector({1, 1}));
    CHECK(p.grad().values() == Values{2.0 * pass, 4.0 * pass});
  }
  p.zero_grad();
  CHECK_FALSE(p.grad().defined());

  p.set_trainable(false);
  Tape tape;
  CHECK_FALSE(square(tape.watch(p)).wants_grad());
}

TEST_CASE("several losses on one tape", "[tape]") {
  Tape tape;
  const auto x = tape.watch(vector({2}));
  const auto y = square(x);
  const auto first = relu(y), second = square(y);
  backward(first, vector({1}), Retain::yes);
  backward(second, vector({1}));
  CHECK(x.grad().values() == Values{4 + 32});
  CHECK_THROWS_WITH(backward(first, vector({1})),
                    Catch::Matchers::Contains("released by an earlier backward pass") &&
                        Catch::Matchers::Contains("ebb::Retain::yes"));
}

TEST_CASE("intermediate gradients are kept only when asked", "[tape]") {
  for (const bool keep : {false, true}) {
    Tape tape({.keep_gradients = keep});
    const auto x = tape.watch(vector({2}));
    const auto y = square(x);
    const auto z = square(y);
    for (int pass = 1; pass <= 2; ++pass) {
      backward(z, vector({1}), Retain::yes);
      CHECK(y.grad().defined() == keep);
      if (keep) CHECK(y.grad().values() == Values{8});
      CHECK(x.grad().values() == Values{32.0 * pass});
    }
  }
}

TEST_CASE("backward frees what was saved as it goes", "[tape]") {
  const auto before = Cpu::stats().bytes_in_use;
  {
    Tape tape;
    auto x = tape.watch(test::random<double>(Shape{1 << 15}));
    auto y = x;
    for (int i = 0; i < 8; ++i) y = square(y);
    const auto loss_grad = Tensor<double, 1>::ones(y.shape());
    const auto held = Cpu::stats().bytes_in_use;
    backward(y, loss_grad);
    CHECK(Cpu::stats().bytes_in_use + 5 * (sizeof(double) << 15) < held);
  }
  CHECK(Cpu::stats().bytes_in_use == before);
}

TEST_CASE("a steady step takes nothing from the system", "[tape][pool]") {
  const auto x = test::random<double>(Shape{1000});
  const Param<Tensor<double, 1>> p(test::random<double>(Shape{1000}, 2));
  std::size_t after_first = 0;
  for (int step = 0; step < 5; ++step) {
    Tape tape;
    backward(square(plus(tape.input(x), square(tape.watch(p)))), x);
    p.zero_grad();
    if (step == 0) after_first = Cpu::stats().allocations;
  }
  CHECK(Cpu::stats().allocations == after_first);
}

TEST_CASE("variables of a cleared tape, and of two tapes, are refused", "[tape][errors]") {
  Tape tape, other;
  const auto x = tape.watch(vector({1}));
  CHECK_THROWS_WITH(plus(x, other.watch(vector({1}))),
                    "plus: its operands are recorded on two different tapes; watch them on one");
  tape.clear();
  CHECK_THROWS_WITH(square(x), Catch::Matchers::Contains("a tape that is over"));
  CHECK_THROWS_AS(x.grad(), ValueError);
  CHECK_THROWS_AS(tape.watch(Tensor<double, 1>()), ValueError);
  CHECK_THROWS_WITH(
      [&] {
        Tape third;
        backward(square(third.watch(vector({1}))), vector({1, 2}));
      }(),
      "backward: the value has shape (1) but the gradient given for it has shape (2)");
}

TEST_CASE("a variable that outlives its tape says which it was, and where the tape ended",
          "[tape][errors]") {
  using Catch::Matchers::Contains;
  using X = Var<Tensor<double, 1>>;
  const auto fails = [](const X& x, const std::string& how) {
    const std::string which = "a variable of shape (2), made by 'square',";
    CHECK_THROWS_WITH(square(x), Contains(which) && Contains(how));
    CHECK_THROWS_WITH(backward(x, vector({1, 1})), Contains(which) && Contains(how));
    CHECK_THROWS_WITH(x.grad(), Contains(which) && Contains(how));
    CHECK_THROWS_WITH(x.tape().size(), Contains(which) && Contains(how));
    CHECK(x.value().values() == Values{1, 4});  // its own
  };
  for (const bool wanted : {true, false}) {
    const auto made = [&](Tape& tape) {
      const auto x = vector({1, 2});
      return square(wanted ? tape.watch(x) : tape.input(x));
    };
    std::optional<X> left;
    const int line = __LINE__ + 2;
    {
      Tape tape;
      left = made(tape);
    }
    const std::string place = message("tape.cpp:", line);
    fails(*left, place + " was destroyed at the end of its scope");
    {
      Tape next;  // at the address of the one before, and in its place
      static_cast<void>(made(next));
      fails(*left, place + " was destroyed at the end of its scope");
    }
    fails(*left, "its tape ended some tapes ago");

    Tape tape;
    left = made(tape);
    tape.clear();
    fails(*left, message("tape.cpp:", __LINE__ - 1));
    fails(*left, message("tape.cpp:", __LINE__ - 4, " was cleared at "));
    std::optional<Tape> moved(std::in_place);  // a tape whose owner makes another of it
    left = made(*moved);
    moved.emplace();
    fails(*left, "was destroyed");
  }
}

TEST_CASE("after an exception inside a retained backward the next one starts from nothing",
          "[tape][errors]") {
  // x -> square -> fails where it is told to -> square; and beside it, so that half of a gradient
  // waits at the first square when the exception passes.
  Tape tape;
  bool fail = true;
  const auto x = tape.watch(vector({3}));
  const auto y = square(x);
  const auto middle = track(
      "fails", y.value().clone(),
      [&fail, dx = sink(y)](const auto& dy) {
        if (fail) throw ValueError("as told");
        if (dx) dx.give(dy);
      },
      y);
  const auto z = plus(middle, plus(y, square(y)));
  CHECK_THROWS_WITH(backward(z, vector({1}), Retain::yes), "as told");
  CHECK_FALSE(x.grad().defined());
  fail = false;
  backward(z, vector({1}), Retain::yes);
  CHECK(x.grad().values() == Values{(1 + 1 + 2 * 9) * 6});  // d/dx (2 x^2 + x^4)
}

TEST_CASE("a long record is listed in a time that grows with its length", "[tape][print]") {
  // The list of 100,000 nodes took minutes when each operand was looked for.
  Tape tape;
  const auto x = tape.watch(vector({1}));
  const auto y = square(x);
  for (int i = 0; i < 100000; ++i) static_cast<void>(plus(x, y));
  const auto nodes = tape.nodes();
  REQUIRE(nodes.size() == 100002);
  CHECK(nodes.back().inputs == std::vector<int>{0, 1});
}

TEST_CASE("a checking tape names the first operation that leaves the finite numbers",
          "[tape][errors]") {
  Param<Tensor<double, 1>> p(vector({1e200, 1}));
  p.set_name("encoder.scale.weight");
  Tape tape({.check_finite = true});
  const auto w = tape.watch(p);
  CHECK_THROWS_WITH(
      square(square(w)),
      Catch::Matchers::StartsWith("square: element 0 of its result, of shape (2), is not finite"));
  p.set(vector({1, std::numeric_limits<double>::quiet_NaN()}));
  CHECK_THROWS_WITH(tape.watch(p), Catch::Matchers::StartsWith("input: element 1"));
  CHECK_THROWS_AS(tape.input(vector({1.0 / 0.0})), NumericError);
}

TEST_CASE("a tape can be listed, printed and drawn", "[tape][print]") {
  Param<Tensor<double, 1>> p(vector({1, 2}));
  p.set_name("fc1.weight");
  Tape tape;
  const auto x = tape.watch(vector({3, 4}));
  const auto y = relu(plus(x, tape.watch(p)));
  const auto nodes = tape.nodes();
  REQUIRE(nodes.size() == 4);
  CHECK(nodes[1].op == "parameter");
  CHECK(nodes[1].label == "fc1");
  CHECK(nodes[2].inputs == std::vector<int>{0, 1});
  CHECK(nodes[3].shape == "(2)");
  CHECK(to_string(tape) ==
        "   0  watch           (2)\n"
        "   1  parameter  fc1  (2)\n"
        "   2  plus            (2)  <- 0, 1\n"
        "   3  relu            (2)  <- 2\n");
  CHECK(to_dot(tape).find("n1 -> n2;") != std::string::npos);
  CHECK(to_dot(tape).find("parameter fc1\\n(2)") != std::string::npos);
}
