#include <ebb/ops/shape/pad/pad.hpp>
#include <ebb/tape/dual.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;
using test::difference;

namespace {
constexpr Margins<4> margins{{{0, 0}, {0, 0}, {2, 1}, {3, 1}}};

/// y and dx of F.pad(x, (3, 1, 2, 1), mode, 0.5) for dy = ramp.
void check_mode(PadMode mode, const std::vector<double>& y, const std::vector<double>& dx) {
  Tape tape;
  const auto x = tape.watch(test::ramp<double>(Shape{1, 1, 3, 4}));
  const auto padded = pad(x, margins, {.mode = mode, .value = 0.5});
  REQUIRE(padded.shape() == Shape{1, 1, 6, 8});
  CHECK(difference(padded.value(), y) < 1e-15);
  backward(padded, test::ramp<double>(padded.shape()));
  CHECK(difference(x.grad(), dx) < 1e-15);
}
}  // namespace

// x = ramp(1, 1, 3, 4); y = F.pad(x, (3, 1, 2, 1), mode=..., value=0.5); y.backward(ramp(1, 1, 6,
// 8))
TEST_CASE("pad: the values of PyTorch's F.pad", "[ops][pad]") {
  check_mode(
      PadMode::constant,
      {0.5, 0.5, 0.5, 0.5,   0.5,  0.5,   0.5,  0.5, 0.5, 0.5, 0.5, 0.5, 0.5,  0.5,  0.5,  0.5,
       0.5, 0.5, 0.5, -1.0,  0.75, -0.25, 1.5,  0.5, 0.5, 0.5, 0.5, 0.5, -0.5, 1.25, 0.25, 0.5,
       0.5, 0.5, 0.5, -0.75, 1.0,  0,     -1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5,  0.5,  0.5,  0.5},
      {-0.75, 1.0, 0, -1.0, -0.5, 1.25, 0.25, -0.75, -0.25, 1.5, 0.5, -0.5});
  check_mode(PadMode::reflect,
             {-1.0, 0,    1.0,  -0.75, 1.0,  0,     -1.0, 0,    0.25, 1.25,  -0.5, 0.5,
              -0.5, 1.25, 0.25, 1.25,  1.5,  -0.25, 0.75, -1.0, 0.75, -0.25, 1.5,  -0.25,
              0.25, 1.25, -0.5, 0.5,   -0.5, 1.25,  0.25, 1.25, -1.0, 0,     1.0,  -0.75,
              1.0,  0,    -1.0, 0,     0.25, 1.25,  -0.5, 0.5,  -0.5, 1.25,  0.25, 1.25},
             {-0.75, 1.25, 2.0, -1.5, -1.5, 2.5, 5.5, -0.25, 1.25, 2.5, 1.25, -0.25});
  check_mode(PadMode::replicate,
             {-1.0, -1.0,  -1.0, -1.0, 0.75,  -0.25, 1.5,   1.5,   -1.0,  -1.0,  -1.0,  -1.0,
              0.75, -0.25, 1.5,  1.5,  -1.0,  -1.0,  -1.0,  -1.0,  0.75,  -0.25, 1.5,   1.5,
              0.5,  0.5,   0.5,  0.5,  -0.5,  1.25,  0.25,  0.25,  -0.75, -0.75, -0.75, -0.75,
              1.0,  0,     -1.0, -1.0, -0.75, -0.75, -0.75, -0.75, 1.0,   0,     -1.0,  -1.0},
             {0.5, 2.25, -0.75, 3.25, 1.25, 1.25, 0.25, 0.25, 0, 0.5, 1.25, 2.0});
}

TEST_CASE("pad2d pads height and width alike", "[ops][pad]") {
  const auto x = test::random<float>(Shape{2, 3, 4});
  const auto y = pad2d(x, {1, 2});
  REQUIRE(y.shape() == Shape{2, 5, 8});
  CHECK(y(1, 1, 2) == x(1, 0, 0));
  CHECK(y(1, 0, 4) == 0);
  CHECK(test::same_bits(y, pad(x, {{{0, 0}, {1, 1}, {2, 2}}})));
}

TEST_CASE("pad: margins that make no sense", "[ops][pad]") {
  const auto x = test::random<float>(Shape{2, 3});
  CHECK(test::error_of<ShapeError>([&] {
          pad(x, {{{0, 0}, {-1, 0}}});
        }) ==
        "pad: the margins (-1, 0) of axis 1 are negative; to take elements away, use slice()");
  CHECK(contains(test::error_of<ShapeError>([&] {
                   pad(x, {{{0, 2}, {0, 0}}}, {.mode = PadMode::reflect});
                 }),
                 "a margin of 2 cannot be reflected from axis 0 of (2, 3), whose extent is 2"));
  const Tensor<float, 2> empty(Shape{2, 0});
  CHECK(contains(test::error_of<ShapeError>([&] {
                   pad(empty, {{{0, 0}, {1, 0}}}, {.mode = PadMode::replicate});
                 }),
                 "nothing to repeat"));
  CHECK(pad(empty, {{{0, 0}, {1, 0}}}).shape() == Shape{2, 1});
}

namespace {
template <class T>
double worst_against_reference() {
  double worst = 0;
  const RandomStream random{5, 0};
  std::uint64_t at = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Shape<3> shape{};
    Margins<3> m;
    for (int k = 0; k < 3; ++k) {
      shape[k] = 1 + random.below(7, at++);
      const bool leave = random.below(3, at++) == 0;
      m.axis[k].before = leave ? 0 : random.below(shape[k], at++);
      m.axis[k].after = leave ? 0 : random.below(shape[k], at++);
    }
    for (const auto mode : {PadMode::constant, PadMode::reflect, PadMode::replicate}) {
      const auto g = kernel::PadGeometry<3>::of(shape, m, mode);
      const auto x = test::random<T>(shape, at);
      const Tensor<T, 3> y(g.to), expected(g.to);
      pad_forward(Cpu{}, g, T(2), x.view(), y.mut());
      kernel::reference::pad_forward(g, T(2), x.view(), expected.mut());
      worst = std::fmax(worst, difference(y, expected));
      for (const bool add : {false, true}) {
        const auto dx = test::random<T>(shape, 3), expected_dx = dx.clone();
        pad_backward(Cpu{}, g, y.view(), Into<T, 3>{dx.mutable_data(), shape, add});
        kernel::reference::pad_backward(g, y.view(),
                                        Into<T, 3>{expected_dx.mutable_data(), shape, add});
        worst = std::fmax(worst, difference(dx, expected_dx));
      }
    }
  }
  return worst;
}
}  // namespace

TEST_CASE("pad: the fast kernels are the reference", "[ops][pad]") {
  CHECK(worst_against_reference<float>() == 0);
  CHECK(worst_against_reference<double>() == 0);
}

TEST_CASE("pad: gradients", "[ops][pad]") {
  for (const auto mode : {PadMode::constant, PadMode::reflect, PadMode::replicate}) {
    const PadOptions options{.mode = mode, .value = 3};
    CHECK_GRADIENTS(
        [&](const auto& x) {
          return pad(x, {{{0, 0}, {1, 2}, {2, 1}}}, options);
        },
        test::random<double>(Shape{2, 3, 4}));
    CHECK_GRADIENTS(
        [&](const auto& x) {
          return pad(x, {{{1, 0}}}, options);
        },
        test::random<double>(Shape{2}));
  }
  CHECK_GRADIENTS([](const auto& x) { return pad2d(x, 2, {.mode = PadMode::replicate}); },
                  test::random<double>(Shape{1, 1, 1, 1}));
}

TEST_CASE("pad: any number of threads", "[ops][pad]") {
  const auto x = test::random<float>(Shape{5, 3, 60, 61});
  for (const auto mode : {PadMode::constant, PadMode::reflect}) {
    CHECK(test::same_for_any_threads([&] { return pad2d(x, 3, {.mode = mode}); }));
    CHECK(test::same_for_any_threads([&] {
      Tape tape;
      const auto v = tape.watch(x);
      const auto y = pad2d(v, 3, {.mode = mode});
      backward(y, y.value());
      return v.grad();
    }));
  }
}

TEST_CASE("pad: dual numbers", "[ops][pad]") {
  const Tensor<Dual<double>, 1> x({2}, {Dual<double>(1, 2), Dual<double>(3, 4)});
  const auto y = pad(x, {{{2, 0}}}, {.value = 7});
  CHECK(y(0).value == 7);
  CHECK(y(0).tangent == 0);
  CHECK(y(3).tangent == 4);
}
