/// \file
/// He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016: 18 layers, with
/// the stem for small images, a 3x3 convolution of stride 1 and no pooling.
#pragma once

#include <ebb/ebb.hpp>

#include <optional>

namespace bench {

namespace nn = ebb::nn;

/// Two convolutions beside a short cut, which is a 1x1 convolution where the shape changes.
struct BasicBlock {
  struct Shortcut {
    nn::Conv2d<> conv;
    nn::BatchNorm2d<> bn;
    static void visit(auto& self, auto&& f) {
      f("0", self.conv);
      f("1", self.bn);
    }
  };

  nn::Conv2d<> conv1;
  nn::BatchNorm2d<> bn1;
  nn::Conv2d<> conv2;
  nn::BatchNorm2d<> bn2;
  std::optional<Shortcut> downsample;

  BasicBlock(ebb::Index in, ebb::Index out, ebb::Index stride)
      : conv1{in, out, 3, {.stride = stride, .padding = 1, .bias = false}},
        bn1{out},
        conv2{out, out, 3, {.padding = 1, .bias = false}},
        bn2{out} {
    if (stride != 1 || in != out)
      downsample.emplace(nn::Conv2d<>{in, out, 1, {.stride = stride, .bias = false}},
                         nn::BatchNorm2d<>{out});
  }

  auto operator()(const auto& x) const {
    const auto y = bn2(conv2(ebb::relu(bn1(conv1(x)))));
    return ebb::relu(y + (downsample ? downsample->bn(downsample->conv(x)) : x));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("conv2", self.conv2);
    f("bn2", self.bn2);
    if (self.downsample) f("downsample", *self.downsample);
  }
};

struct ResNet18 {
  using Stage = nn::Sequential<BasicBlock, BasicBlock>;

  nn::Conv2d<> conv1{1, 64, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d<> bn1{64};
  Stage layer1{BasicBlock(64, 64, 1), BasicBlock(64, 64, 1)};
  Stage layer2{BasicBlock(64, 128, 2), BasicBlock(128, 128, 1)};
  Stage layer3{BasicBlock(128, 256, 2), BasicBlock(256, 256, 1)};
  Stage layer4{BasicBlock(256, 512, 2), BasicBlock(512, 512, 1)};
  nn::Linear<> fc{512, 10};

  auto operator()(const auto& x) const {
    const auto y = layer4(layer3(layer2(layer1(ebb::relu(bn1(conv1(x)))))));
    return fc(ebb::flatten(ebb::adaptive_avg_pool2d(y, 1)));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("layer1", self.layer1);
    f("layer2", self.layer2);
    f("layer3", self.layer3);
    f("layer4", self.layer4);
    f("fc", self.fc);
  }
};

}  // namespace bench
