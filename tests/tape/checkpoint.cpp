#include <ebb/tape/checkpoint.hpp>

#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/elementwise/square.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using test::random;

namespace {

/// x * w * r with a weight, a fresh random number at each training pass, and a count of passes as
/// a side effect.
struct Noisy {
  Param<Tensor<double, 1>> weight{Tensor<double, 1>({2}, {0.5, -1.5})};
  mutable int updates = 0;

  auto operator()(const auto& x) const {
    using X = std::remove_cvref_t<decltype(x)>;
    const auto stream = default_generator().stream();
    if constexpr (is_var<X>)
      if (!x.tape().replays()) ++updates;
    Tensor<double, 1> scale({2}), y({2});
    for (Index i = 0; i < 2; ++i) {
      scale(i) = 0.5 + stream.template uniform<double>(static_cast<std::uint64_t>(i));
      y(i) = value(x)(i) * weight.value()(i) * scale(i);
    }
    return track(
        "noisy", y,
        [scale, x = value(x), w = weight.value(), dx = sink(x), dw = sink(weight)](const auto& dy) {
          Tensor<double, 1> gx({2}), gw({2});
          for (Index i = 0; i < 2; ++i) {
            gx(i) = dy(i) * w(i) * scale(i);
            gw(i) = dy(i) * x(i) * scale(i);
          }
          if (dx) dx.give(gx);
          if (dw) dw.give(gw);
        },
        x, weight);
  }
  static void visit(auto& self, auto&& f) { f("weight", self.weight); }
};

}  // namespace

TEST_CASE("a checkpointed part has the same value, gradients and random numbers",
          "[tape][checkpoint]") {
  const Tensor<double, 1> x({2}, {0.3, 0.8});
  const auto run = [&](Noisy& layer, bool save_memory) {
    manual_seed(3);
    Tape tape;
    const auto v = tape.watch(x);
    const auto block = [&](const auto& h) { return square(layer(square(h))); };
    const auto y = save_memory ? checkpoint(block, v) : block(v);
    backward(y, Tensor<double, 1>({2}, {1, 2}));
    return std::tuple(y.value().values(), v.grad().values(), layer.weight.grad().values(),
                      default_generator());
  };
  Noisy plain, saving;
  CHECK(run(plain, false) == run(saving, true));
  CHECK(plain.updates == 1);
  CHECK(saving.updates == 1);  // the second forward pass repeats no side effect
}

TEST_CASE("a checkpointed part learns even when its input wants no gradient",
          "[tape][checkpoint]") {
  Noisy layer;
  Tape tape;
  const auto x = tape.input(Tensor<double, 1>({2}, {0.3, 0.8}));
  const auto y = checkpoint([&](const auto& h) { return layer(h); }, x);
  REQUIRE(y.wants_grad());
  backward(y, Tensor<double, 1>::ones({2}));
  REQUIRE(layer.weight.grad().defined());
  CHECK(layer.weight.grad()(1) != 0.0);

  // Without parameters and without a watched input there is nothing to record.
  CHECK_FALSE(checkpoint([](const auto& h) { return square(h); }, x).wants_grad());
}

TEST_CASE("checkpointing holds only the input of the part", "[tape][checkpoint]") {
  const auto x = random<double>(Shape{1 << 16});
  const auto deep = [](const auto& h) { return square(square(square(square(h)))); };
  const auto held = [&](bool save_memory) {
    Tape tape;
    const auto v = tape.watch(x);
    const auto before = Cpu::stats().bytes_in_use;
    const auto y = save_memory ? checkpoint(deep, v) : deep(v);
    return Cpu::stats().bytes_in_use - before;
  };
  CHECK(held(true) < held(false) / 3);
}

TEST_CASE("gradients through a checkpoint agree with finite differences", "[tape][checkpoint]") {
  CHECK_GRADIENTS(
      [](const auto& x) { return checkpoint([](const auto& h) { return square(h); }, x); },
      random<double>(Shape{3}));
}

TEST_CASE("a checkpointed part of several operands hands each its gradient", "[tape][checkpoint]") {
  const auto a = random<double>(Shape{3}, 1), b = random<double>(Shape{3}, 2);
  CHECK_GRADIENTS(
      [](const auto& x, const auto& y) {
        return checkpoint([](const auto& u, const auto& v) { return square(u) * v; }, x, y);
      },
      a, b);
  const auto part = [](const auto& u, const auto& v) { return square(u) * v; };
  Tape tape;
  const auto x = tape.watch(a), constant = tape.input(b);
  const auto y = checkpoint(part, x, constant), z = checkpoint(part, b, x);  // b is a plain tensor
  CHECK(y.value().values() == part(a, b).values());
  backward(y + z, Tensor<double, 1>::ones({3}));
  for (Index i = 0; i < 3; ++i) CHECK(x.grad()(i) == 2 * a(i) * b(i) + b(i) * b(i));
  CHECK_FALSE(constant.grad().defined());
  CHECK(checkpoint(part, a, b).values() == part(a, b).values());
}

TEST_CASE("an error inside of a checkpoint leaves the generator as it was", "[tape][checkpoint]") {
  manual_seed(5);
  Tape tape;
  const auto x = tape.watch(random<double>(Shape{3}));
  int calls = 0;
  const auto y = checkpoint(
      [&calls](const auto& h) {
        default_generator().stream();
        if (++calls == 2) throw ValueError("the second pass fails");
        return square(h);
      },
      x);
  const Generator before = default_generator();
  CHECK_THROWS_AS(backward(y, Tensor<double, 1>::ones({3})), ValueError);
  CHECK(default_generator() == before);
}

TEST_CASE("a network handed to checkpoint gathers the gradients itself", "[tape][checkpoint]") {
  const Tensor<double, 1> x({2}, {0.3, 0.8});
  const auto gradient = [&](auto&& pass) {
    Noisy layer;
    manual_seed(3);
    Tape tape;
    const auto y = pass(layer, tape.input(x));
    CHECK(y.wants_grad());
    backward(y, Tensor<double, 1>({2}, {1, 2}));
    REQUIRE(layer.weight.grad().defined());
    return layer.weight.grad().values();
  };
  const auto plain = gradient([](const Noisy& f, const auto& v) { return f(v); });
  CHECK(gradient([](const Noisy& f, const auto& v) { return checkpoint(f, v); }) == plain);
  CHECK(gradient([](Noisy& f, const auto& v) { return checkpoint(f, v); }) == plain);

  // One that is moved in brings its parameters along.
  Noisy owner;
  const auto cell = owner.weight.cell();
  manual_seed(3);
  Tape tape;
  backward(checkpoint(std::move(owner), tape.input(x)), Tensor<double, 1>({2}, {1, 2}));
  CHECK(cell->flat_grad().values() == plain);
}
