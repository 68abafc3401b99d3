/// \file
/// A batch of no images passes through every operation and loss, with the shapes and values of
/// PyTorch 2.15: results are empty, gradients of parameters zero, a loss nan by the mean and 0 by
/// the sum (nn.functional's conv2d, conv_transpose2d, max_pool2d, avg_pool2d, adaptive_avg_pool2d,
/// interpolate, batch_norm, layer_norm, group_norm, cross_entropy, nll_loss, mse_loss, l1_loss,
/// huber_loss, binary_cross_entropy_with_logits on tensors of zero images).

#include <ebb/ebb.hpp>

#include "tests/support/kernels.hpp"

using namespace ebb;

namespace {

using Images = Tensor<float, 4>;

/// Runs f on no images, forward with and without a tape, and back; x is (0, channels, 4, 4).
template <class F, int N>
void check_shape(const char* name, Index channels, const F& f, const Shape<N>& expected) {
  INFO(name);
  const Images x(Shape{Index{0}, channels, Index{4}, Index{4}});
  CHECK(f(x).shape() == expected);
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = f(v);
  CHECK(y.shape() == expected);
  backward(sum(y));
  CHECK(v.grad().shape() == x.shape());
}

template <class T, int N>
bool all_zero(const Tensor<T, N>& x) {
  for (const T v : x.values())
    if (v != T(0)) return false;
  return x.size() > 0;
}

/// A loss of no terms, and its gradient.
template <class X, class F>
void check_loss(const char* name, const X& x, const F& loss) {
  INFO(name);
  CHECK(std::isnan(loss(x, Reduction::mean).item()));
  CHECK(loss(x, Reduction::sum).item() == 0);
  for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = loss(v, reduction);
    CHECK(std::isnan(y.value().item()) == (reduction == Reduction::mean));
    backward(y);
    CHECK(v.grad().shape() == x.shape());
  }
}

}  // namespace

TEST_CASE("an empty batch: operations on images", "[ops]") {
  const auto w = Images::ones({6, 3, 3, 3}), wt = Images::ones({3, 2, 3, 3});
  check_shape(
      "conv2d", 3, [&](const auto& x) { return conv2d(x, w, {.padding = 1}); }, Shape{0, 6, 4, 4});
  check_shape(
      "conv2d 2 groups", 6,
      [&](const auto& x) {
        return conv2d(x, w, {.stride = 2, .groups = 2, .activation = Activation::relu});
      },
      Shape{0, 6, 1, 1});
  check_shape(
      "conv_transpose2d", 3, [&](const auto& x) { return conv_transpose2d(x, wt, {.stride = 2}); },
      Shape{0, 2, 9, 9});
  check_shape(
      "max_pool2d", 3, [](const auto& x) { return max_pool2d(x, 2); }, Shape{0, 3, 2, 2});
  check_shape(
      "avg_pool2d", 3, [](const auto& x) { return avg_pool2d(x, 2); }, Shape{0, 3, 2, 2});
  check_shape("global_avg_pool2d", 3, global_avg_pool2d, Shape{0, 3, 1, 1});
  check_shape(
      "upsample_nearest2d", 3, [](const auto& x) { return upsample_nearest2d(x, Scale2{2}); },
      Shape{0, 3, 8, 8});
  check_shape(
      "upsample_bilinear2d", 3,
      [](const auto& x) {
        return upsample_bilinear2d(x, Size2{5, 6});
      },
      Shape{0, 3, 5, 6});
  for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate})
    check_shape(
        "pad2d", 3, [&](const auto& x) { return pad2d(x, 1, {.mode = mode}); }, Shape{0, 3, 6, 6});
  check_shape("flatten", 3, flatten, Shape{0, 48});
  check_shape(
      "reshape", 3,
      [](const auto& x) {
        return reshape(x, Shape{-1, 12});
      },
      Shape{0, 12});
  check_shape(
      "softmax", 3, [](const auto& x) { return softmax(x, 1); }, Shape{0, 3, 4, 4});
  check_shape(
      "log_softmax", 3, [](const auto& x) { return log_softmax(x, 1); }, Shape{0, 3, 4, 4});
  check_shape("relu", 3, relu, Shape{0, 3, 4, 4});
  check_shape("dropout", 3, nn::Dropout{0.5}, Shape{0, 3, 4, 4});
  check_shape(
      "sum", 3, [](const auto& x) { return sum(x, 1); }, Shape{0, 4, 4});
  check_shape(
      "max", 3, [](const auto& x) { return max(x, 1); }, Shape{0, 4, 4});
  check_shape(
      "slice", 3, [](const auto& x) { return slice(x, 1, 0, 2); }, Shape{0, 2, 4, 4});
  check_shape(
      "concat", 3,
      [](const auto& x) {
        return concat({x, x}, 1);
      },
      Shape{0, 6, 4, 4});
  check_shape(
      "transpose", 3, [](const auto& x) { return transpose(x, 1, 3); }, Shape{0, 4, 4, 3});
  check_shape(
      "group_norm", 6, [](const auto& x) { return group_norm(x, 3); }, Shape{0, 6, 4, 4});
  check_shape(
      "layer_norm", 6,
      [](const auto& x) {
        return layer_norm(x, Shape{4, 4});
      },
      Shape{0, 6, 4, 4});
  CHECK(argmax(Images(Shape{0, 3, 4, 4}), 1).shape() == Shape{0, 4, 4});
  // torch.zeros(3, 3)[1:1].shape
  CHECK(slice(Tensor<float, 2>::ones({3, 3}), 0, 1, 1).shape() == Shape{0, 3});
}

TEST_CASE("an empty batch: layers learn nothing, and keep what they know", "[ops][nn]") {
  nn::Sequential net(nn::Conv2d(3, 4, 3, {.padding = 1}), nn::BatchNorm2d<>(4), relu,
                     nn::ConvTranspose2d(4, 4, 2), nn::GroupNorm<>(2, 4), flatten,
                     nn::Linear(100, 5));
  optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.1});
  Tape tape;
  const auto images = tape.input(Images(Shape{0, 3, 4, 4}));
  const auto loss =
      cross_entropy(net(images), Tensor<int, 1>(Shape<1>{0}), {.reduction = Reduction::sum});
  CHECK(loss.value().item() == 0);
  backward(loss);
  int parameters = 0;
  nn::visit_parameters(net, [&](const std::string& path, const auto& p) {
    INFO(path);
    CHECK(all_zero(p.grad()));
    ++parameters;
  });
  CHECK(parameters == 10);
  // torch.nn.BatchNorm2d(4)(torch.zeros(0, 4, 4, 4)) leaves the statistics at 0 and 1
  nn::visit_buffers(net, [](const std::string& path, const auto& b) {
    INFO(path);
    for (const auto v : b.value().values()) CHECK((v == 0 || v == 1));
  });
  optimizer.step();
}

TEST_CASE("an empty batch: losses", "[ops][loss]") {
  const Tensor<float, 2> x(Shape{0, 3}), t(Shape{0, 3});
  const Tensor<int, 1> labels(Shape<1>{0});
  check_loss("cross_entropy", x, [&](const auto& v, Reduction r) {
    return cross_entropy(v, labels, {.reduction = r});
  });
  check_loss("nll_loss", x,
             [&](const auto& v, Reduction r) { return nll_loss(v, labels, {.reduction = r}); });
  check_loss("focal_loss", x,
             [&](const auto& v, Reduction r) { return focal_loss(v, labels, {.reduction = r}); });
  check_loss("mse_loss", x, [&](const auto& v, Reduction r) { return mse_loss(v, t, r); });
  check_loss("l1_loss", x, [&](const auto& v, Reduction r) { return l1_loss(v, t, r); });
  check_loss("bce_with_logits", x,
             [&](const auto& v, Reduction r) { return bce_with_logits(v, t, {.reduction = r}); });
  CHECK(std::isnan(dice_loss(x, labels).item()));
  CHECK(std::isnan(mean(x).item()));  // torch.zeros(0, 3).mean()
  CHECK(sum(x).item() == 0);
}
