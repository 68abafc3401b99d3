/// \file
/// He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016, in
/// torchvision's form (the stride of a bottleneck is in its 3x3 convolution) and under
/// torchvision's names.
#pragma once

#include <ebb/models/probe.hpp>
#include <ebb/nn/batch_norm.hpp>
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/visit.hpp>
#include <ebb/ops/ops.hpp>

#include <array>
#include <optional>

namespace ebb::inline EBB_ABI::models {

namespace detail {

/// The short cut where the shape changes: a 1x1 convolution and a batch norm.
template <class T, class Device>
struct Downsample {
  nn::Conv2d<T, Device> conv;
  nn::BatchNorm2d<T, Device> bn;

  Downsample() = default;
  Downsample(Index in, Index out, Index stride)
      : conv{in, out, 1, {.stride = stride, .bias = false}}, bn{out} {}

  auto operator()(const auto& x) const { return bn(conv(x)); }
  static constexpr void visit(auto& self, auto&& f) {
    f("0", self.conv);
    f("1", self.bn);
  }
};

}  // namespace detail

/// Two 3x3 convolutions beside a short cut: the block of 18 and 34 layers.
template <class T = float, class Device = Cpu>
struct BasicBlock {
  static constexpr Index expansion = 1;

  nn::Conv2d<T, Device> conv1;
  nn::BatchNorm2d<T, Device> bn1;
  nn::Conv2d<T, Device> conv2;
  nn::BatchNorm2d<T, Device> bn2;
  std::optional<detail::Downsample<T, Device>> downsample;

  BasicBlock() = default;
  BasicBlock(Index in, Index width, Index stride)
      : conv1{in, width, 3, {.stride = stride, .padding = 1, .bias = false}},
        bn1{width},
        conv2{width, width, 3, {.padding = 1, .bias = false}},
        bn2{width} {
    if (stride != 1 || in != width) downsample.emplace(in, width, stride);
  }

  auto operator()(const auto& x) const {
    const auto y = bn2(conv2(relu(bn1(conv1(x)))));
    return relu(y + (downsample ? (*downsample)(x) : x));
  }
  static constexpr void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("conv2", self.conv2);
    f("bn2", self.bn2);
    f("downsample", self.downsample);
  }
};

/// 1x1, 3x3 and 1x1 convolutions beside a short cut, four times as wide outside as within: the
/// block of 50 layers.
template <class T = float, class Device = Cpu>
struct Bottleneck {
  static constexpr Index expansion = 4;

  nn::Conv2d<T, Device> conv1;
  nn::BatchNorm2d<T, Device> bn1;
  nn::Conv2d<T, Device> conv2;
  nn::BatchNorm2d<T, Device> bn2;
  nn::Conv2d<T, Device> conv3;
  nn::BatchNorm2d<T, Device> bn3;
  std::optional<detail::Downsample<T, Device>> downsample;

  Bottleneck() = default;
  Bottleneck(Index in, Index width, Index stride)
      : conv1{in, width, 1, {.bias = false}},
        bn1{width},
        conv2{width, width, 3, {.stride = stride, .padding = 1, .bias = false}},
        bn2{width},
        conv3{width, expansion * width, 1, {.bias = false}},
        bn3{expansion * width} {
    if (stride != 1 || in != expansion * width) downsample.emplace(in, expansion * width, stride);
  }

  auto operator()(const auto& x) const {
    const auto y = bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))));
    return relu(y + (downsample ? (*downsample)(x) : x));
  }
  static constexpr void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("conv2", self.conv2);
    f("bn2", self.bn2);
    f("conv3", self.conv3);
    f("bn3", self.bn3);
    f("downsample", self.downsample);
  }
};

struct ResNetOptions {
  Index channels = 3;
  Index classes = 1000;
  bool small_images = false;  ///< a 3x3 stem of stride 1 without pooling, for 28 by 28 pixels, say
  Index width = 64;           ///< channels of the first stage; each of the others doubles them
};

/// x (n, channels, h, w) -> logits (n, classes), for images of any size. Parts for a probe: stem
/// (after the rectifier and before the pool), layer1 to layer4, fc.
template <class Block, class T = float, class Device = Cpu>
struct ResNet {
  using Stage = std::vector<Block>;

  nn::Conv2d<T, Device> conv1;
  nn::BatchNorm2d<T, Device> bn1;
  Stage layer1, layer2, layer3, layer4;
  nn::Linear<T, Device> fc;
  bool small_images = false;

  ResNet() = default;
  /// `blocks` is how many there are in each stage. Convolutions start as the paper's initialiser
  /// has them (normal, by the fan out, as torchvision's do).
  /// \throws ValueError when an extent is below 1.
  ResNet(const std::array<int, 4>& blocks, ResNetOptions o)
      : conv1{o.channels,
              o.width,
              o.small_images ? 3 : 7,
              {.stride = o.small_images ? 1 : 2,
               .padding = Size2(o.small_images ? 1 : 3),
               .bias = false}},
        bn1{o.width},
        fc{8 * o.width * Block::expansion, o.classes},
        small_images(o.small_images) {
    Index in = o.width;
    Stage* stages[] = {&layer1, &layer2, &layer3, &layer4};
    for (std::size_t s = 0; s < 4; ++s) {
      const Index width = o.width << s;
      for (int b = 0; b < blocks[s]; ++b) {
        stages[s]->emplace_back(in, width, b == 0 && s > 0 ? 2 : 1);
        in = width * Block::expansion;
      }
    }
    nn::visit_parameters(*this, []<class Tens>(const std::string&, Param<Tens>& p) {
      if constexpr (Tens::rank == 4) nn::init::kaiming_normal(p, {.fan = nn::init::Fan::out});
    });
  }

  template <Operand X>
  auto operator()(const X& x) const {
    return run(x, NoProbe{});
  }

  template <Operand X, class Probe>
  auto run(const X& x, Probe&& probe) const {
    auto y = relu(bn1(conv1(x)));
    probe("stem", y);
    if (!small_images) y = max_pool2d(y, {.kernel = 3, .stride = 2, .padding = 1});
    const Stage* stages[] = {&layer1, &layer2, &layer3, &layer4};
    const char* const names[] = {"layer1", "layer2", "layer3", "layer4"};
    for (std::size_t s = 0; s < 4; ++s) {
      for (const Block& block : *stages[s]) y = block(y);
      probe(names[s], y);
    }
    const auto logits = fc(flatten(adaptive_avg_pool2d(y, 1)));
    probe("fc", logits);
    return logits;
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("layer1", self.layer1);
    f("layer2", self.layer2);
    f("layer3", self.layer3);
    f("layer4", self.layer4);
    f("fc", self.fc);
    f("small_images", self.small_images);
  }
};

/// 18 layers: `models::ResNet18<> net({.channels = 1, .classes = 2, .small_images = true});`
template <class T = float, class Device = Cpu>
struct ResNet18 : ResNet<BasicBlock<T, Device>, T, Device> {
  explicit ResNet18(ResNetOptions o = {})
      : ResNet<BasicBlock<T, Device>, T, Device>({2, 2, 2, 2}, o) {}
};
template <class T = float, class Device = Cpu>
struct ResNet34 : ResNet<BasicBlock<T, Device>, T, Device> {
  explicit ResNet34(ResNetOptions o = {})
      : ResNet<BasicBlock<T, Device>, T, Device>({3, 4, 6, 3}, o) {}
};
template <class T = float, class Device = Cpu>
struct ResNet50 : ResNet<Bottleneck<T, Device>, T, Device> {
  explicit ResNet50(ResNetOptions o = {})
      : ResNet<Bottleneck<T, Device>, T, Device>({3, 4, 6, 3}, o) {}
};

}  // namespace ebb::models
