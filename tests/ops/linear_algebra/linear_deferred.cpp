#include <ebb/ebb.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Calls f() with deferred products on or off.
template <class F>
void deferring(bool on, F&& f) {
  const bool before = std::exchange(detail::defer_products(), on);
  f();
  detail::defer_products() = before;
}

/// A dense layer whose input is the network's own, and large enough to defer.
struct Net {
  Param<Tensor<float, 2>> weight{random<float>(Shape{40, 7001}, 1)};

  static void visit(auto& self, auto&& f) { f("weight", self.weight); }
  void backward(Index batch, std::uint64_t seed = 2) const {
    Tape tape;
    const auto x = tape.watch(random<float>(Shape{batch, 7001}, seed));
    ebb::backward(linear(relu(x), weight), random<float>(Shape{batch, 40}, seed + 1));
  }
  bool deferred() const { return bool(weight.cell()->slot.factors()); }
};

}  // namespace

TEST_CASE("linear: a deferred gradient is the product's bits, in pieces or whole", "[linear]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    for (const Index terms : {1, 2, 3, 7, 8, 16})
      for (const Index columns : {1, 5, 64, 97, 300}) {
        const auto check = [&]<class T>(T) {
          const auto dy = random<T>(Shape{terms, 9}, 1), x = random<T>(Shape{terms, columns}, 2);
          const Tensor<T, 2> whole({9, columns});
          gemm(Cpu{}, {.a = true}, dy.view(), x.view(), into(whole));
          const Factors<T> f{dy.data(), x.data(), terms, 9, columns, &detail::expand_product<T>};
          const Tensor<T, 2> pieces({9, columns});
          const Index size = 9 * columns;
          for (Index begin = 0, step = 1; begin < size; begin += step++)
            f.expand(f, begin, std::min(begin + step, size), pieces.mutable_data() + begin);
          INFO(terms << " terms, " << columns << " columns");
          CHECK(same_bits(pieces, whole));
        };
        check(float());
        check(double());
      }
  });
}

TEST_CASE("linear: only large gradients of small factors are deferred", "[linear]") {
  CHECK(detail::pays_to_defer(1, 64, 25088, 4));
  CHECK(detail::pays_to_defer(2, 64, 25088, 4));
  CHECK_FALSE(detail::pays_to_defer(3, 64, 25088, 4));  // x would not stay in cache
  CHECK(detail::pays_to_defer(16, 1024, 1024, 4));
  CHECK_FALSE(detail::pays_to_defer(17, 1024, 1024, 4));
  CHECK_FALSE(detail::pays_to_defer(1, 128, 784, 4));  // stays in cache by itself

  Net net;
  net.backward(1);
  CHECK(net.deferred());
  net.backward(1);  // the second adds
  CHECK_FALSE(net.deferred());
  net.weight.zero_grad();
  net.backward(10);
  CHECK_FALSE(net.deferred());
  net.weight.zero_grad();
  deferring(false, [&] { net.backward(1); });
  CHECK_FALSE(net.deferred());
  net.weight.zero_grad();

  Tape tape;  // the input is the caller's, who may write over it
  backward(linear(tape.input(random<float>(Shape{1, 7001}, 2)), net.weight),
           random<float>(Shape{1, 40}, 3));
  CHECK_FALSE(net.deferred());
}

TEST_CASE("linear: whoever looks at a deferred gradient finds the same tensor", "[linear]") {
  const auto gradient = [](auto&& use) {
    Net net;
    use(net);
    return net.weight.grad();
  };
  const auto same = [&](auto&& use) {
    Tensor<float, 2> plain, deferred;
    deferring(false, [&] { plain = gradient(use); });
    deferring(true, [&] { deferred = gradient(use); });
    CHECK(same_bits(plain, deferred));
  };
  same([](Net& net) { net.backward(2); });
  same([](Net& net) { net.backward(2), net.backward(1, 7); });
  same([](Net& net) { net.backward(1), optim::clip_grad_norm(net, 0.5); });
  same([](Net& net) { net.backward(1), optim::clip_grad_value(net, 0.1); });
  same([](Net& net) {
    net.backward(1);
    net.weight.cell()->slot.give(random<float>(Shape{40, 7001}, 9));
  });
  Net net;
  net.backward(1);
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  opt.step();
  CHECK(net.deferred());  // still there to look at, or to use again
  CHECK(net.weight.grad().defined());
  opt.zero_grad();
  CHECK_FALSE(net.weight.grad().defined());
}

TEST_CASE("linear: updates from factors have the bits of updates from the product", "[linear]") {
  const auto trained = [](auto rule) {
    Net net;
    optim::Optimizer opt(net, rule);
    for (std::uint64_t step = 0; step < 3; ++step) {
      opt.zero_grad();
      net.backward(1 + static_cast<Index>(step % 2), step);
      opt.step();
    }
    return net.weight.value();
  };
  const auto same = [&](auto rule) {
    Tensor<float, 2> plain, deferred;
    deferring(false, [&] { plain = trained(rule); });
    deferring(true, [&] { deferred = trained(rule); });
    CHECK(same_bits(plain, deferred));
    check_threads([&] { return trained(rule); });
  };
  each_isa([&](Isa set) {
    INFO(to_string(set));
    same(optim::Sgd{.lr = 0.1});
    same(optim::Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
    same(optim::Adam{});
  });
}
