// Operations that only move elements: concat, stack, slice, pad, permute, dropout.
#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

/// Elements that are moved are the same; gradients that are added differ by rounding.
constexpr double moved = 1e-6;

template <int N>
void check_permuted(const Shape<N>& shape, const AxisOrder<N>& axes) {
  const auto f = [axes](const auto& x) { return permute(x, axes); };
  CHECK_ON_CUDA(moved, f, test::random<float>(shape, 1));
}

template <class T, int N>
void check_padded(const Shape<N>& shape, const Margins<N>& margins, PadMode mode) {
  const auto f = [=](const auto& x) { return pad(x, margins, {.mode = mode, .value = 2.5}); };
  CHECK_ON_CUDA(moved, f, test::random<T>(shape, 1));
}

}  // namespace

TEST_CASE("cuda: concat, stack and slice move what they move on the CPU") {
  const auto joined = [](int axis) {
    return [axis](const auto& a, const auto& b) { return concat({a, b}, axis); };
  };
  for (const int axis : {0, 1, 2}) {
    const auto extent = [axis](Index n) {
      Shape<3> shape{4, 8, 12};  // in packs,
      shape[axis] = n;
      return shape;
    };
    CHECK_ON_CUDA(moved, joined(axis), test::random<float>(extent(8), 1),
                  test::random<float>(extent(4), 2));
    CHECK_ON_CUDA(moved, joined(axis), test::random<float>(extent(3), 1),  // and not
                  test::random<float>(extent(5), 2));
    CHECK_ON_CUDA(
        moved, [axis](const auto& x) { return slice(x, axis, 1, 4); },
        test::random<float>(Shape{6, 5, 7}, 1));
  }
  CHECK_ON_CUDA(
      moved, [](const auto& x) { return slice(x, 1, 4, 12); },
      test::random<float>(Shape{5, 16}, 1));
  CHECK_ON_CUDA(
      moved,
      [](const auto& a, const auto& b) {
        return stack({a, b, a}, 1);
      },
      test::random<double>(Shape{3, 5}, 1), test::random<double>(Shape{3, 5}, 2));
  CHECK_ON_CUDA(moved, joined(0), Tensor<float, 2>(Shape{0, 3}),
                test::random<float>(Shape{2, 3}, 2));
  CHECK_ON_CUDA(moved, joined(1), Tensor<float, 2>(Shape{0, 3}), Tensor<float, 2>(Shape{0, 2}));
}

TEST_CASE("cuda: permute moves what it moves on the CPU") {
  check_permuted<2>({5, 7}, {1, 0});                // by the elements of the result
  check_permuted<2>({45, 70}, {1, 0});              // in tiles
  check_permuted<4>({2, 3, 20, 33}, {0, 2, 3, 1});  // few channels last
  check_permuted<4>({2, 33, 4, 5}, {0, 2, 3, 1});   // many
  check_permuted<4>({2, 4, 5, 33}, {0, 3, 1, 2});   // and first again
  check_permuted<4>({3, 4, 2, 8}, {1, 0, 2, 3});    // rows, in packs
  check_permuted<4>({3, 4, 2, 7}, {2, 0, 1, 3});    // rows
  check_permuted<3>({13, 2, 40}, {2, 1, 0});        // tiles with an axis between
  check_permuted<5>({2, 3, 4, 3, 2}, {4, 2, 0, 3, 1});
  check_permuted<3>({4, 5, 6}, {0, 1, 2});
  check_permuted<2>({0, 3}, {1, 0});
  const auto counted = Tensor<int, 2>::from({3, 2}, std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK(transpose(to<Cuda>(counted)).values() == transpose(counted).values());
}

TEST_CASE("cuda: pad shows what it shows on the CPU") {
  for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate}) {
    check_padded<float, 4>({2, 3, 5, 4}, {{{0, 0}, {0, 0}, {1, 4}, {2, 3}}}, mode);
    check_padded<float, 4>({3, 2, 4, 5}, {{{1, 2}, {0, 1}, {0, 0}, {4, 0}}}, mode);
    check_padded<double, 2>({1, 7}, {{{0, 0}, {6, 6}}}, mode);
    check_padded<float, 1>({2}, {{{1, 1}}}, mode);
    check_padded<float, 3>({2, 3, 2}, {{{0, 0}, {0, 0}, {0, 0}}}, mode);
  }
  check_padded<float, 2>({1, 3}, {{{2, 3}, {1, 1}}}, PadMode::replicate);
  check_padded<float, 2>({0, 3}, {{{2, 1}, {1, 0}}}, PadMode::constant);
}

TEST_CASE("cuda: dropout drops what it drops on the CPU") {
  for (const double p : {0.0, 0.3, 1.0}) {
    const auto f = [p](const auto& x) { return dropout(x, p, RandomStream{5, 6}); };
    for (const Index n : {1, 3, 33, 1000, 1024})
      CHECK_ON_CUDA(0, f, test::random<float>(Shape{n}, 1));
    CHECK_ON_CUDA(0, f, test::random<double>(Shape{7, 41}, 1));
  }
  CHECK_ON_CUDA(
      0, [](const auto& x) { return dropout(x, 0.5, RandomStream{}); },
      Tensor<float, 2>(Shape{0, 3}));
}

TEST_CASE("cuda: elements are moved with 64-bit indices") {
  const test::WideIndices wide;
  check_permuted<2>({45, 70}, {1, 0});
  check_permuted<4>({3, 4, 2, 8}, {1, 0, 2, 3});
  for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate})
    check_padded<float, 4>({2, 3, 5, 4}, {{{0, 0}, {0, 0}, {1, 4}, {2, 3}}}, mode);
  CHECK_ON_CUDA(
      0,
      [](const auto& x) {
        return dropout(x, 0.5, RandomStream{5, 6});
      },
      test::random<float>(Shape{333}, 1));
  CHECK_ON_CUDA(
      moved, [](const auto& x) { return slice(x, 1, 1, 4); }, test::random<float>(Shape{5, 6}, 1));
}

TEST_CASE("cuda: a captured dropout draws by the shift in device memory") {
  // What a replay adds to the stream, the kernel reads there.
  const auto x = test::random<float>(Shape{100}, 1);
  auto* const state = gpu::detail::new_state<gpu::StepState>(0);
  const gpu::StepState shift{RandomStream{2, 7}};
  gpu::upload(state, &shift, sizeof shift);
  gpu::detail::captured_state() = state;
  const auto y = dropout(to<Cuda>(x), 0.5, RandomStream{5, 6});
  gpu::detail::captured_state() = nullptr;
  CHECK(y.values() == dropout(x, 0.5, RandomStream{7, 13}).values());
  CHECK(y.values() != dropout(x, 0.5, RandomStream{5, 6}).values());
  gpu::release(state);
}
