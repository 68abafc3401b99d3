// What convolutions and affine maps take in: an addition and an activation, by every way, against
// the same as operations of their own.
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/sequential.hpp>
#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/elementwise/clamp.hpp>
#include <ebb/ops/elementwise/hard_swish.hpp>
#include <ebb/ops/elementwise/leaky_relu.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/elementwise/relu6.hpp>
#include <ebb/ops/elementwise/sigmoid.hpp>
#include <ebb/ops/elementwise/silu.hpp>
#include <ebb/tape/dual.hpp>
#include <ebb/tape/gradcheck.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Calls f(name, operation) with every operation that is an activation too.
template <class F>
void each_activation(F&& f) {
  f("relu", relu);
  f("relu6", relu6);
  f("leaky_relu", LeakyRelu{0.3});
  f("leaky_relu of a negative slope", LeakyRelu{-0.3});
  f("clamp", Clamp{-0.2, 0.4});
  f("sigmoid", sigmoid);
  f("silu", silu);
  f("hard_swish", hard_swish);
}

/// y and the gradients of all operands from the same dy, as one list.
template <class Op, class DY, class... Tens>
auto all_of(Op op, const DY& dy, const Tens&... operands) {
  Tape tape;
  const auto run = [&](const auto&... x) {
    const auto y = op(x...);
    backward(y, dy);
    auto all = y.value().values();
    const auto join = [&](const auto& v) { all.insert(all.end(), v.begin(), v.end()); };
    (join(x.grad().values()), ...);
    return all;
  };
  return run(tape.watch(operands)...);
}

struct Way {
  ConvAlgorithm way;
  Shape<4> x, w;
  Conv2dOptions options;
};

/// Sums beyond 6 and below -3 among them, so that every branch of every activation is taken.
template <class T, int N>
Tensor<T, N> wide(Shape<N> shape, std::uint64_t seed) {
  auto x = random<T>(shape, seed);
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] *= T(3);
  return x;
}

template <class T>
void check_way(const Way& c) {
  set_conv2d_algorithm(c.way);
  const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry("", c.x, c.w, c.options);
  CHECK(kernel::conv2d_algorithm<T>(g, ConvPass::forward) == c.way);
  const auto x = wide<T>(c.x, 1), w = random<T>(c.w, 2);
  const auto b = random<T>(Shape{c.w[0]}, 3);
  const Shape<4> shape{g.batch, g.out_channels, g.output.height, g.output.width};
  const auto skip = wide<T>(shape, 4), dy = random<T>(shape, 5);
  each_activation([&](const char* name, const auto& f) {
    INFO(name);
    Conv2dOptions taken = c.options;
    taken.activation = f;
    const auto close = [&](const auto& a, const auto& e) {
      // The plain loops of the reference round as the compiler's baseline does.
      if (c.way != ConvAlgorithm::reference) return a == e;
      double apart = a.size() == e.size() ? 0 : INFINITY;
      for (std::size_t i = 0; i < std::min(a.size(), e.size()); ++i)
        apart = std::max(apart, std::abs(static_cast<double>(a[i]) - static_cast<double>(e[i])));
      return apart < 1e-5;
    };
    const auto once = [&](const auto&... v) { return conv2d(v..., taken); };
    const auto apart = [&](const auto&... v) { return f(conv2d(v..., c.options)); };
    CHECK(close(once(x, w, b).values(), apart(x, w, b).values()));
    CHECK(close(once(x, w).values(), apart(x, w).values()));
    CHECK(close(all_of(once, dy, x, w, b), all_of(apart, dy, x, w, b)));

    const auto added = [&](const auto& s, const auto&... v) { return conv2d(v..., taken, s); };
    const auto sum = [&](const auto& s, const auto&... v) {
      return f(conv2d(v..., c.options) + s);
    };
    CHECK(close(added(skip, x, w, b).values(), sum(skip, x, w, b).values()));
    CHECK(close(all_of(added, dy, skip, x, w, b), all_of(sum, dy, skip, x, w, b)));
  });
  const auto plain = [&](const auto& s, const auto&... v) { return conv2d(v..., c.options, s); };
  const auto sum = [&](const auto& s, const auto&... v) { return conv2d(v..., c.options) + s; };
  CHECK(all_of(plain, dy, skip, x, w, b) == all_of(sum, dy, skip, x, w, b));
  reset_conv2d_algorithm();
}

}  // namespace

TEST_CASE("conv2d takes any activation and an addition in, by every way", "[conv2d][epilogue]") {
  using enum ConvAlgorithm;
  const Way ways[] = {{reference, {2, 3, 5, 6}, {4, 3, 3, 3}, {.padding = 1}},
                      {pointwise, {2, 9, 7, 9}, {11, 9, 1, 1}, {}},
                      {depthwise, {2, 5, 9, 19}, {5, 1, 3, 3}, {.padding = 1, .groups = 5}},
                      {three_rows, {2, 5, 9, 19}, {5, 1, 3, 3}, {.padding = 1, .groups = 5}},
                      {unfolded, {2, 6, 3, 4}, {10, 3, 3, 3}, {.padding = 1, .groups = 2}},
                      {images, {19, 3, 6, 7}, {5, 3, 3, 3}, {.padding = 1}},
                      {channels, {2, 6, 7, 9}, {37, 6, 3, 3}, {.stride = 2, .padding = 1}},
                      {lines, {2, 2, 9, 11}, {7, 2, 3, 3}, {.padding = 1}},
                      {winograd, {2, 5, 9, 11}, {18, 5, 3, 3}, {.padding = 1}}};
  each_isa([&](Isa set) {
    for (const Way& c : ways) {
      INFO(ebb::to_string(set) << ", " << ebb::to_string(c.way));
      check_way<float>(c);
      if (c.way != winograd) check_way<double>(c);
    }
  });
}

TEST_CASE("linear takes any activation and an addition in", "[linear][epilogue]") {
  each_isa([&](Isa set) {
    INFO(ebb::to_string(set));
    struct Extents {
      Index m, k, n;
    };
    for (const Extents& e :
         {Extents{1, 40, 33}, Extents{5, 3, 7}, Extents{40, 70, 100}, Extents{2, 40000, 3}}) {
      const Index m = e.m, k = e.k, n = e.n;
      const auto x = wide<float>(Shape{m, k}, 1), w = random<float>(Shape{n, k}, 2);
      const auto b = random<float>(Shape{n}, 3);
      const auto skip = wide<float>(Shape{m, n}, 4), dy = random<float>(Shape{m, n}, 5);
      each_activation([&](const char* name, const auto& f) {
        INFO(name << " of " << m << " x " << n << " x " << k);
        const auto once = [&](const auto&... v) { return linear(v..., f); };
        const auto apart = [&](const auto&... v) { return f(linear(v...)); };
        CHECK(once(x, w, b).values() == apart(x, w, b).values());
        CHECK(once(x, w).values() == apart(x, w).values());
        CHECK(all_of(once, dy, x, w, b) == all_of(apart, dy, x, w, b));
        const auto added = [&](const auto& s, const auto&... v) { return linear(v..., f, s); };
        const auto sum = [&](const auto& s, const auto&... v) { return f(linear(v...) + s); };
        CHECK(added(skip, x, w, b).values() == sum(skip, x, w, b).values());
        CHECK(all_of(added, dy, skip, x, w, b) == all_of(sum, dy, skip, x, w, b));
      });
    }
  });
}

TEST_CASE("what an activation keeps: the result where it tells the slope", "[epilogue]") {
  CHECK(Activation(relu6).known_by_result());
  CHECK(Activation(LeakyRelu{0.1}).known_by_result());
  CHECK_FALSE(Activation(LeakyRelu{-0.1}).known_by_result());
  CHECK_FALSE(Activation(silu).known_by_result());
  const auto x = random<float>(Shape{2, 3}), w = random<float>(Shape{4, 3});
  const auto b = random<float>(Shape{4});
  const auto names = [&](const auto& f) {
    Tape tape;
    const auto y = linear(tape.watch(x), w, b, f);
    std::string all;
    for (const NodeInfo& node : tape.nodes()) all += node.op + " ";
    return all;
  };
  CHECK(names(sigmoid) == "watch linear+sigmoid ");
  CHECK(names(silu) == "watch linear silu ");
}

TEST_CASE("gradients through an addition and an activation", "[epilogue]") {
  const auto x = random<double>(Shape{2, 3, 5, 4}, 1), skip = random<double>(Shape{2, 4, 5, 4}, 4);
  const auto w = random<double>(Shape{4, 3, 3, 3}, 2);
  const auto b = random<double>(Shape{4}, 3);
  each_activation([&](const char* name, const auto& f) {
    INFO(name);
    CHECK(gradcheck(
        [&](const auto& i, const auto& k, const auto& c, const auto& s) {
          return conv2d(i, k, c, {.padding = 1, .activation = f}, s);
        },
        x, w, b, skip));
    CHECK(gradcheck([&](const auto& i, const auto& k, const auto& c,
                        const auto& s) { return linear(i, k, c, f, s); },
                    random<double>(Shape{3, 6}, 1), random<double>(Shape{5, 6}, 2),
                    random<double>(Shape{5}, 3), random<double>(Shape{3, 5}, 4)));
  });
}

TEST_CASE("layers take an addition, and what does not fit is refused", "[nn][epilogue]") {
  manual_seed(1);
  const nn::Conv2d<> conv(2, 3, 3, {.padding = 1});
  const nn::Linear<> fc(4, 5);
  const auto x = random<float>(Shape{2, 2, 4, 5}, 1), skip = random<float>(Shape{2, 3, 4, 5}, 2);
  CHECK(conv(x, silu, skip).values() == silu(conv(x) + skip).values());
  const auto v = random<float>(Shape{3, 4}, 1), more = random<float>(Shape{3, 5}, 2);
  CHECK(fc(v, relu6, more).values() == relu6(fc(v) + more).values());
  const nn::Sequential net(fc, hard_swish);
  CHECK(net(v).values() == hard_swish(fc(v)).values());
  CHECK_THROWS_WITH(
      conv(x, relu, x),
      "conv2d: what is added to the result has shape (2, 2, 4, 5), but the result has "
      "(2, 3, 4, 5); they must be the same");
  CHECK_THROWS_AS(fc(v, relu, v), ShapeError);
}
