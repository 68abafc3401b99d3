#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/bounds.hpp"

using namespace ebb;

namespace {

/// Lets small problems use patches while it lives.
struct Patches {
  kernel::detail::PatchThreshold before =
      std::exchange(kernel::detail::patch_threshold, {1, 16, false});
  Patches() = default;
  Patches(const Patches&) = delete;
  Patches& operator=(const Patches&) = delete;
  ~Patches() { kernel::detail::patch_threshold = before; }
};

/// Whether the forward pass, and whether the gradient of the input, is computed from patches.
std::pair<bool, bool> uses_patches(const Shape<4>& x_shape, const Shape<4>& w_shape,
                                   const Conv2dOptions& options) {
  const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry("", x_shape, w_shape, options);
  const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
  auto x = Tensor<float, 4, Cuda>::zeros(x_shape), y = Tensor<float, 4, Cuda>::zeros(y_shape);
  const auto w = Tensor<float, 4, Cuda>::zeros(w_shape);
  const bool forward =
      kernel::detail::patch_convolution<false>(g, x.data(), w.data(), y.mutable_data(), {});
  const bool backward =
      kernel::detail::patch_convolution<true>(g, y.data(), w.data(), x.mutable_data(), {});
  return {forward, backward};
}

/// Sets how many blocks share out the gradient of a weight, while it lives.
struct Pieces {
  Index before;
  explicit Pieces(Index n) : before(std::exchange(kernel::detail::patch_pieces, n)) {}
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;
  ~Pieces() { kernel::detail::patch_pieces = before; }
};

/// In tf32, the gradient of the weight: from patches, within its bound, and doubled, to the bit, by
/// adding it to itself.
void check_weight(const Shape<4>& x_shape, const Shape<4>& w_shape, const Conv2dOptions& options) {
  CAPTURE(to_string(x_shape), to_string(w_shape), options.padding.size.height);
  const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry("", x_shape, w_shape, options);
  const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
  const auto x = test::random<float>(x_shape, 1), dy = test::random<float>(y_shape, 2);
  const double error =
      test::error_in_bounds(cuda::Precision::tf32, w_shape, g.batch * g.output.area(), x, dy,
                            [&](auto device, const auto& u, const auto& v, const auto& dw) {
                              conv2d_grad_weight(device, g, u, v, dw);
                            });
  CHECK(error <= 1);
  CHECK(error > 0.001);

  const cuda::PrecisionScope scope(cuda::Precision::tf32);
  const auto u = to<Cuda>(x), v = to<Cuda>(dy);
  Tensor<float, 4, Cuda> dw(w_shape);
  CHECK(kernel::detail::patch_grad_weight(g, u.data(), v.data(),
                                          {dw.mutable_data(), w_shape, false}));
  auto twice = dw.values();
  for (float& number : twice) number *= 2;
  CHECK(
      kernel::detail::patch_grad_weight(g, u.data(), v.data(), {dw.mutable_data(), w_shape, true}));
  CHECK(dw.values() == twice);
}

/// In fp32, forward and backward, with bias and relu; gradients are overwritten and added to.
void check(const Shape<4>& x_shape, const Shape<4>& w_shape, Conv2dOptions options) {
  CAPTURE(to_string(x_shape), to_string(w_shape), options.padding.size.height);
  CHECK(uses_patches(x_shape, w_shape, options) == std::pair(w_shape[0] <= 32, w_shape[1] <= 32));
  const auto x = test::random<float>(x_shape, 1), w = test::random<float>(w_shape, 2);
  const auto b = test::random<float>(Shape{w_shape[0]}, 3);
  options.activation = Activation::relu;
  CHECK_ON_CUDA(
      test::near_float,
      [&](const auto& u, const auto& v, const auto& bias) { return conv2d(u, v, bias, options); },
      x, w, b);
}

}  // namespace

TEST_CASE("cuda: conv2d from patches agrees with the CPU") {
  const Patches scope;
  check({1, 1, 5, 9}, {1, 1, 3, 3}, {.padding = 1});
  check({3, 3, 7, 7}, {16, 3, 3, 3}, {.padding = 1});
  check({3, 16, 5, 9}, {17, 16, 3, 3}, {.padding = 0});
  check({1, 17, 14, 14}, {33, 17, 3, 3}, {.padding = 2});
  check({3, 33, 7, 7}, {3, 33, 3, 3}, {.padding = {2, 0}});
  check({1, 16, 28, 28}, {17, 16, 3, 3}, {.padding = 1});  // rows of packs
  check({3, 1, 28, 28}, {16, 1, 3, 3}, {.padding = {0, 1}});
  check({1, 3, 4, 20}, {4, 3, 3, 3}, {.padding = {1, 2}});
}

TEST_CASE("cuda: conv2d of 5x5 from patches agrees with the CPU") {
  const Patches scope;
  check({1, 3, 14, 14}, {17, 3, 5, 5}, {.padding = 2});
  check({3, 17, 5, 9}, {3, 17, 5, 5}, {.padding = 0});
  check({1, 1, 7, 7}, {33, 1, 5, 5}, {.padding = 1});
  check({1, 4, 28, 28}, {8, 4, 5, 5}, {.padding = 4});
}

TEST_CASE("cuda: conv2d from patches in tf32 and bf16 keeps to its bounds") {
  const Patches scope;
  test::check_conv_bounds({3, 3, 7, 7}, {16, 3, 3, 3}, {.padding = 1});
  test::check_conv_bounds({3, 16, 5, 9}, {17, 16, 3, 3}, {.padding = 0});
  test::check_conv_bounds({1, 17, 14, 14}, {33, 17, 3, 3}, {.padding = 2});
  test::check_conv_bounds({1, 16, 28, 28}, {17, 16, 3, 3}, {.padding = 1});
  test::check_conv_bounds({3, 33, 5, 9}, {8, 33, 5, 5}, {.padding = 2});
}

TEST_CASE("cuda: the gradient of a weight from patches keeps to its bound in tf32") {
  const Patches scope;
  check_weight({1, 1, 5, 9}, {1, 1, 3, 3}, {.padding = 1});
  check_weight({3, 3, 7, 7}, {16, 3, 3, 3}, {.padding = 1});
  check_weight({3, 16, 5, 9}, {17, 16, 3, 3}, {.padding = 0});
  check_weight({1, 17, 14, 14}, {33, 17, 3, 3}, {.padding = 2});
  check_weight({1, 33, 7, 7}, {3, 33, 3, 3}, {.padding = {2, 0}});
  check_weight({1, 4, 28, 28}, {17, 4, 3, 3}, {.padding = 1});
  for (const Index pieces : {Index{1}, Index{2}}) {  // several chunks a block
    const Pieces few(pieces);
    check_weight({2, 3, 28, 28}, {5, 3, 3, 3}, {.padding = 1});
    check_weight({5, 2, 14, 14}, {3, 2, 3, 3}, {.padding = {0, 1}});
  }
}

TEST_CASE("cuda: which convolutions are computed from patches") {
  const std::pair both(true, true), none(false, false);
  {
    const Patches scope;
    CHECK(uses_patches({1, 2, 6, 6}, {3, 2, 3, 3}, {.padding = 2}) == both);
    CHECK(uses_patches({1, 2, 6, 6}, {3, 2, 3, 3}, {.padding = 3}) == none);
    CHECK(uses_patches({1, 2, 6, 6}, {3, 2, 3, 3}, {.stride = 2}) == none);
    CHECK(uses_patches({1, 2, 6, 6}, {3, 2, 3, 3}, {.dilation = 2}) == none);
    CHECK(uses_patches({1, 2, 6, 6}, {4, 1, 3, 3}, {.groups = 2}) == none);
    CHECK(uses_patches({1, 2, 6, 6}, {3, 2, 3, 5}, {.padding = 1}) == none);
    CHECK(uses_patches({1, 2, 6, 6}, {3, 2, 1, 1}, {}) == none);
    CHECK(uses_patches({1, 1, 3, 4000}, {1, 1, 3, 3}, {.padding = 1}) == none);  // long rows
  }
  CHECK(uses_patches({1, 4, 6, 6}, {4, 4, 3, 3}, {.padding = 1}) == none);  // few blocks
  // Of a first layer, only the gradient of the input sums over channels enough.
  CHECK(uses_patches({24, 1, 28, 28}, {16, 1, 3, 3}, {.padding = 1}) == std::pair(false, true));
}
