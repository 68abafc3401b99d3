#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/compare.hpp"

using namespace ebb;
using test::near_double;
using test::near_float;

namespace {

/// Forward and backward of a convolution without bias, with one, and with relu.
template <class T = float>
void check_conv(const Shape<4>& x_shape, const Shape<4>& w_shape, Conv2dOptions options = {}) {
  constexpr double tolerance = std::is_same_v<T, float> ? near_float : near_double;
  CAPTURE(x_shape, w_shape, options.stride.height, options.padding.size.height);
  const auto x = test::random<T>(x_shape, 1), w = test::random<T>(w_shape, 2);
  const auto b = test::random<T>(Shape{w_shape[0]}, 3);
  CHECK_ON_CUDA(
      tolerance, [&](const auto& u, const auto& v) { return conv2d(u, v, options); }, x, w);
  options.activation = Activation::relu;
  CHECK_ON_CUDA(
      tolerance,
      [&](const auto& u, const auto& v, const auto& bias) { return conv2d(u, v, bias, options); },
      x, w, b);
  // An activation after the other, and an addition before it.
  static int turn = 0;
  options.activation = test::some_activations[static_cast<std::size_t>(turn++ % 7)];
  const auto skip = test::random<T>(conv2d(x, w, options).shape(), 4);
  CHECK_ON_CUDA(
      tolerance,
      [&](const auto& u, const auto& v, const auto& bias, const auto& s) {
        return conv2d(u, v, bias, options, s);
      },
      x, w, b, skip);
}

template <class T = float>
void check_transposed(const Shape<4>& x_shape, const Shape<4>& w_shape,
                      const ConvTranspose2dOptions& options = {}) {
  constexpr double tolerance = std::is_same_v<T, float> ? near_float : near_double;
  const auto x = test::random<T>(x_shape, 1), w = test::random<T>(w_shape, 2);
  const auto b = test::random<T>(Shape{w_shape[1] * options.groups}, 3);
  CHECK_ON_CUDA(
      tolerance,
      [&](const auto& u, const auto& v, const auto& bias) {
        return conv_transpose2d(u, v, bias, options);
      },
      x, w, b);
}

/// Sets a number of the kernels' plans while it lives.
struct Plan {
  Index& number;
  Index before;
  Plan(Index& of, Index value) : number(of), before(of) { number = value; }
  ~Plan() { number = before; }
};

}  // namespace

TEST_CASE("cuda: conv2d agrees with the CPU for every option") {
  check_conv({2, 1, 1, 1}, {1, 1, 1, 1});
  check_conv({2, 3, 7, 5}, {5, 3, 3, 3});
  check_conv({2, 3, 7, 5}, {5, 3, 3, 3}, {.padding = 1});
  check_conv({2, 4, 8, 6}, {6, 4, 3, 2}, {.padding = same});
  check_conv({1, 4, 9, 8}, {6, 4, 3, 3}, {.stride = 2, .padding = 1});
  check_conv({1, 2, 11, 12}, {3, 2, 3, 3}, {.stride = {3, 2}, .padding = {2, 0}});
  check_conv({1, 2, 11, 12}, {3, 2, 3, 2}, {.padding = 2, .dilation = {2, 3}});
  check_conv({1, 2, 13, 12}, {3, 2, 3, 4}, {.stride = {4, 2}, .padding = 3, .dilation = {2, 3}});
  check_conv({1, 3, 3, 3}, {4, 3, 2, 2}, {.stride = 5, .padding = 4});
  check_conv({1, 2, 4, 4}, {3, 2, 1, 1}, {.stride = 2});
  check_conv({2, 6, 5, 4}, {10, 3, 3, 3}, {.padding = 1, .groups = 2});
  check_conv({2, 10, 5, 4}, {10, 5, 3, 3}, {.stride = 2, .padding = 1, .groups = 2});
}

TEST_CASE("cuda: pointwise conv2d agrees with the CPU, in packs and without") {
  check_conv({2, 8, 4, 6}, {12, 8, 1, 1});
  check_conv({2, 6, 4, 6}, {7, 6, 1, 1});
  check_conv({3, 5, 3, 5}, {7, 5, 1, 1});
  check_conv({2, 16, 2, 4}, {16, 8, 1, 1}, {.groups = 2});
}

TEST_CASE("cuda: depthwise conv2d agrees with the CPU") {
  check_conv({2, 5, 7, 6}, {5, 1, 3, 3}, {.padding = 1, .groups = 5});
  check_conv({2, 5, 9, 8}, {10, 1, 3, 3}, {.stride = 2, .padding = 1, .groups = 5});
  check_conv({1, 6, 9, 8}, {4, 3, 3, 2}, {.stride = {2, 3}, .dilation = 2, .groups = 2});
}

TEST_CASE("cuda: conv2d in middle, wide and large tiles") {
  const Plan few(kernel::detail::many_tiles, 1);
  check_conv({2, 34, 6, 6}, {40, 34, 3, 3}, {.padding = 1});
  check_conv({3, 3, 9, 7}, {9, 3, 3, 3}, {.padding = 1});
  check_conv({2, 66, 6, 6}, {70, 66, 3, 3}, {.padding = 1});
  check_conv({2, 68, 6, 8}, {72, 68, 1, 1});
  check_conv({2, 66, 9, 8}, {70, 66, 3, 3}, {.stride = 2, .padding = 1});
}

TEST_CASE("cuda: conv2d cuts long sums in pieces") {
  check_conv({3, 2, 16, 16}, {4, 2, 3, 3});
  check_conv({1, 40, 3, 3}, {5, 40, 3, 3}, {.padding = 1});
}

TEST_CASE("cuda: conv2d of doubles") {
  check_conv<double>({2, 3, 7, 5}, {5, 3, 3, 3}, {.stride = 2, .padding = 1});
  check_conv<double>({2, 4, 4, 6}, {6, 4, 1, 1});
  check_conv<double>({2, 4, 7, 5}, {4, 1, 3, 3}, {.groups = 4});
}

TEST_CASE("cuda: conv2d of many elements counts in 64 bits") {
  const Plan wide(gpu::short_indices, 0);
  check_conv({2, 3, 7, 5}, {5, 3, 3, 3}, {.stride = 2, .padding = 1});
  check_conv({2, 4, 4, 6}, {6, 4, 1, 1});
  check_conv({2, 4, 7, 5}, {4, 1, 3, 3}, {.groups = 4});
  check_conv({3, 2, 16, 16}, {4, 2, 3, 3});
}

TEST_CASE("cuda: conv_transpose2d agrees with the CPU") {
  check_transposed({2, 3, 4, 5}, {3, 4, 3, 3});
  check_transposed({2, 3, 4, 5}, {3, 4, 2, 2}, {.stride = 2});
  check_transposed({1, 4, 5, 4}, {4, 3, 3, 3},
                   {.stride = {2, 3}, .padding = 1, .output_padding = 1, .groups = 2});
  check_transposed({1, 12, 5, 4}, {12, 6, 3, 3}, {.stride = 2, .padding = 1, .groups = 2});
  check_transposed<double>({1, 2, 5, 4}, {2, 3, 3, 3}, {.stride = 2, .padding = 1, .dilation = 2});
}
