// Every layer in a small network, beside PyTorch in double: tests/oracle/layers.py.

#include "follow.hpp"

#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>

using namespace ebb;
using namespace parity;

namespace {

/// Mean squared error of net(x) against a random target of shape y.
template <class Net, int N, int M>
void layer(Fixture& fixture, const char* name, Net net, Shape<N> x, Shape<M> y) {
  follow(fixture, name, std::move(net), [=](const Net& n, const auto& data) {
    return mse_loss(n(data.input(x)), data.target(y));
  });
}

/// An image layer behind a 1x1 convolution from 3 to 4 channels.
template <class Second, int M>
void image(Fixture& fixture, const char* name, Second second, Shape<M> y,
           Shape<4> x = {2, 3, 7, 5}) {
  layer(fixture, name, Pair{nn::Conv2d<double>(3, 4, 1), std::move(second)}, x, y);
}

}  // namespace

TEST_CASE("PyTorch parity: linear") {
  Fixture f("layers.json", "linear");
  using Linear = nn::Linear<double>;
  layer(f, "linear", Pair{Linear(6, 4), Linear(4, 3)}, Shape{5, 6}, Shape{5, 3});
  layer(f, "linear no bias", Pair{Linear(6, 4, {.bias = false}), Linear(4, 3, {.bias = false})},
        Shape{5, 6}, Shape{5, 3});
  layer(f, "linear rank 3", Pair{Linear(6, 4), Linear(4, 3)}, Shape{2, 5, 6}, Shape{2, 5, 3});
  layer(f, "linear batch 1", Pair{Linear(6, 4), Linear(4, 3)}, Shape{1, 6}, Shape{1, 3});
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: conv2d") {
  Fixture f("layers.json", "conv2d");
  using Conv = nn::Conv2d<double>;
  image(f, "conv2d", Conv(4, 6, 3), Shape{2, 6, 5, 3});
  image(f, "conv2d 1x1", Conv(4, 6, 1), Shape{2, 6, 7, 5});
  image(f, "conv2d padding 1", Conv(4, 6, 3, {.padding = 1}), Shape{2, 6, 7, 5});
  image(f, "conv2d stride 2 padding 1", Conv(4, 6, 3, {.stride = 2, .padding = 1}),
        Shape{2, 6, 4, 3});
  image(f, "conv2d stride (3, 1) padding (0, 2) kernel (2, 4)",
        Conv(4, 6, {2, 4}, {.stride = {3, 1}, .padding = {0, 2}}), Shape{2, 6, 2, 6});
  image(f, "conv2d stride above kernel", Conv(4, 6, 2, {.stride = 4}), Shape{2, 6, 2, 1});
  image(f, "conv2d dilation (2, 1)", Conv(4, 6, 3, {.dilation = {2, 1}}), Shape{2, 6, 3, 3});
  image(f, "conv2d same", Conv(4, 6, 3, {.padding = same}), Shape{2, 6, 7, 5});
  image(f, "conv2d same even kernel", Conv(4, 6, {2, 4}, {.padding = same}), Shape{2, 6, 7, 5});
  image(f, "conv2d same dilation 2", Conv(4, 6, 3, {.padding = same, .dilation = 2}),
        Shape{2, 6, 7, 5});
  image(f, "conv2d groups 2", Conv(4, 6, 3, {.padding = 1, .groups = 2}), Shape{2, 6, 7, 5});
  image(f, "conv2d depthwise", Conv(4, 8, 3, {.stride = 2, .padding = 1, .groups = 4}),
        Shape{2, 8, 4, 3});
  image(f, "conv2d no bias", Conv(4, 6, 3, {.bias = false}), Shape{2, 6, 5, 3});
  image(f, "conv2d kernel = image", Conv(4, 6, {7, 5}), Shape{2, 6, 1, 1});
  image(f, "conv2d 1x1 image", Conv(4, 6, 3, {.padding = 1}), Shape{2, 6, 1, 1}, Shape{2, 3, 1, 1});
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: conv_transpose2d") {
  Fixture f("layers.json", "conv_transpose2d");
  using Conv = nn::ConvTranspose2d<double>;
  image(f, "conv_transpose2d", Conv(4, 6, 3), Shape{2, 6, 9, 7});
  image(f, "conv_transpose2d stride 2", Conv(4, 6, 2, {.stride = 2}), Shape{2, 6, 14, 10});
  image(f, "conv_transpose2d output padding",
        Conv(4, 6, 3, {.stride = 2, .padding = 1, .output_padding = 1}), Shape{2, 6, 14, 10});
  image(f, "conv_transpose2d (3, 2) output padding (2, 0)",
        Conv(4, 6, {3, 2}, {.stride = {3, 2}, .padding = {1, 0}, .output_padding = {2, 0}}),
        Shape{2, 6, 21, 10});
  image(f, "conv_transpose2d groups 2 dilation 2",
        Conv(4, 6, 3, {.padding = 2, .groups = 2, .dilation = 2}), Shape{2, 6, 7, 5});
  image(f, "conv_transpose2d no bias", Conv(4, 6, 3, {.bias = false}), Shape{2, 6, 9, 7});
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: pooling") {
  Fixture f("layers.json", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "global_avg_pool2d");
  image(f, "max_pool2d 2", nn::MaxPool2d(2), Shape{2, 4, 3, 2});
  image(f, "max_pool2d 3 stride 2 padding 1", nn::MaxPool2d(3, {.stride = 2, .padding = 1}),
        Shape{2, 4, 4, 3});
  image(f, "max_pool2d (3, 2) stride (1, 2)", nn::MaxPool2d({3, 2}, {.stride = {1, 2}}),
        Shape{2, 4, 5, 2});
  image(f, "max_pool2d dilation 2", nn::MaxPool2d(2, {.stride = 1, .dilation = 2}),
        Shape{2, 4, 5, 3});
  image(f, "avg_pool2d 2", nn::AvgPool2d(2), Shape{2, 4, 3, 2});
  image(f, "avg_pool2d 3 stride 2 padding 1", nn::AvgPool2d(3, {.stride = 2, .padding = 1}),
        Shape{2, 4, 4, 3});
  image(f, "avg_pool2d (3, 2) stride (1, 2)", nn::AvgPool2d({3, 2}, {.stride = {1, 2}}),
        Shape{2, 4, 5, 2});
  image(f, "adaptive_avg_pool2d (3, 2)", nn::AdaptiveAvgPool2d({3, 2}), Shape{2, 4, 3, 2});
  image(f, "adaptive_avg_pool2d (9, 5)", nn::AdaptiveAvgPool2d({9, 5}), Shape{2, 4, 9, 5});
  image(f, "global_avg_pool2d", Pair{nn::GlobalAvgPool2d(), flatten}, Shape{2, 4});
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: normalisation") {
  Fixture f("layers.json", "batch_norm1d", "batch_norm2d", "layer_norm", "group_norm");
  using Linear = nn::Linear<double>;
  layer(f, "batch_norm1d", Pair{Linear(6, 4), nn::BatchNorm1d<double>(4)}, Shape{5, 6},
        Shape{5, 4});
  layer(f, "batch_norm1d momentum 0.3 eps 0.01",
        Pair{Linear(6, 4), nn::BatchNorm1d<double>(4, {.eps = 0.01, .momentum = 0.3})}, Shape{5, 6},
        Shape{5, 4});
  image(f, "batch_norm2d", nn::BatchNorm2d<double>(4), Shape{2, 4, 7, 5});
  layer(f, "layer_norm", Pair{Linear(6, 4), nn::LayerNorm<double>(4)}, Shape{5, 6}, Shape{5, 4});
  layer(f, "layer_norm rank 3", Pair{Linear(6, 4), nn::LayerNorm<double>(4, {.eps = 0.01})},
        Shape{2, 5, 6}, Shape{2, 5, 4});
  image(f, "layer_norm 2 axes", nn::LayerNorm<double, Cpu, 2>(Shape{7, 5}), Shape{2, 4, 7, 5});
  image(f, "group_norm 2", nn::GroupNorm<double>(2, 4), Shape{2, 4, 7, 5});
  image(f, "group_norm 4", nn::GroupNorm<double>(4, 4), Shape{2, 4, 7, 5});
  image(f, "group_norm 1", nn::GroupNorm<double>(1, 4, {.eps = 0.01}), Shape{2, 4, 7, 5});
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: upsampling and dropout") {
  Fixture f("layers.json", "upsample", "dropout");
  image(f, "upsample nearest 2", nn::Upsample(2.0), Shape{2, 4, 14, 10});
  image(f, "upsample nearest (3, 2)", nn::Upsample(Scale2{3, 2}), Shape{2, 4, 21, 10});
  image(f, "upsample bilinear 2", nn::Upsample(2.0, {.mode = nn::Interpolation::bilinear}),
        Shape{2, 4, 14, 10});
  image(f, "upsample bilinear 3 corners",
        nn::Upsample(3.0, {.mode = nn::Interpolation::bilinear, .align_corners = true}),
        Shape{2, 4, 21, 15});
  image(f, "upsample bilinear of 1x1", nn::Upsample(2.0, {.mode = nn::Interpolation::bilinear}),
        Shape{2, 4, 2, 2}, Shape{2, 3, 1, 1});
  image(f, "dropout 0", nn::Dropout<double>(0.0), Shape{2, 4, 7, 5});
  follow(f, "dropout 0.3", nn::Conv2d<double>(3, 4, 1), [](const auto& net, const auto& data) {
    return mse_loss(dropout(net(data.input(Shape{2, 3, 7, 5})), 0.3, data.stream(3)),
                    data.target(Shape{2, 4, 7, 5}));
  });
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: composition") {
  Fixture f("layers.json", "sequential", "residual");
  using Linear = nn::Linear<double>;
  layer(f, "sequential",
        nn::Sequential(nn::Conv2d<double>(1, 4, 3, {.padding = 1}), relu, nn::MaxPool2d(2), flatten,
                       Linear(36, 3)),
        Shape{2, 1, 6, 6}, Shape{2, 3});
  layer(f, "residual",
        Pair{Linear(6, 4), nn::Residual(nn::Sequential(Linear(4, 4), Tanh{}, Linear(4, 4)))},
        Shape{5, 6}, Shape{5, 4});
  CHECK(f.left().empty());
}
