/// \file
/// AlexNet in torchvision's form, after Krizhevsky, "One weird trick for parallelizing
/// convolutional neural networks", arXiv:1404.5997 (2014).
#pragma once

#include <ebb/models/probe.hpp>
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/dropout.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/ops/ops.hpp>

namespace ebb::inline EBB_ABI::models {

struct AlexNetOptions {
  Index channels = 3;
  Index classes = 1000;
  bool small_images = false;  ///< 3x3 kernels of stride 1 and 2x2 pooling, for 28 by 28 pixels, say
  Index width = 64;     ///< channels of the first convolution; 3, 6, 4 and 4 times as many follow
  Index hidden = 4096;  ///< width of the two hidden dense layers
  double dropout = 0.5;
};

/// x (n, channels, h, w) -> logits (n, classes); h and w from 63 on (8 on for small images). The
/// names are torchvision's (`features.0.weight`, `classifier.6.bias`), so its weights load. Parts
/// for a probe: features.0, .3, .6, .8, .10 (after their rectifiers), avgpool, classifier.1, .4,
/// .6.
template <class T = float, class Device = Cpu>
struct AlexNet {
  using Conv = nn::Conv2d<T, Device>;

  /// The convolutions; between them lie torchvision's rectifiers and pools, which take up numbers.
  struct Features {
    Conv conv0, conv3, conv6, conv8, conv10;
    static constexpr void visit(auto& self, auto&& f) {
      f("0", self.conv0);
      f("3", self.conv3);
      f("6", self.conv6);
      f("8", self.conv8);
      f("10", self.conv10);
    }
  };
  struct Classifier {
    nn::Dropout<T, Device> drop0, drop3;
    nn::Linear<T, Device> fc1, fc4, fc6;
    static constexpr void visit(auto& self, auto&& f) {
      f("0", self.drop0);
      f("1", self.fc1);
      f("3", self.drop3);
      f("4", self.fc4);
      f("6", self.fc6);
    }
  };

  Features features;
  Classifier classifier;
  Index grid;             ///< height and width of the last activations after averaging
  MaxPool2dOptions pool;  ///< after convolutions 0, 3 and 10

  /// \throws ValueError when an extent is below 1 or the dropout is no probability.
  explicit AlexNet(AlexNetOptions o = {})
      : features{Conv(o.channels, o.width, o.small_images ? 3 : 11,
                      {.stride = o.small_images ? 1 : 4,
                       .padding = Size2(o.small_images ? 1 : 2),
                       .activation = relu}),
                 Conv(o.width, 3 * o.width, o.small_images ? 3 : 5,
                      {.padding = Size2(o.small_images ? 1 : 2), .activation = relu}),
                 Conv(3 * o.width, 6 * o.width, 3, {.padding = 1, .activation = relu}),
                 Conv(6 * o.width, 4 * o.width, 3, {.padding = 1, .activation = relu}),
                 Conv(4 * o.width, 4 * o.width, 3, {.padding = 1, .activation = relu})},
        classifier{nn::Dropout<T, Device>(o.dropout), nn::Dropout<T, Device>(o.dropout),
                   nn::Linear<T, Device>(4 * o.width * (o.small_images ? 9 : 36), o.hidden,
                                         {.activation = relu}),
                   nn::Linear<T, Device>(o.hidden, o.hidden, {.activation = relu}),
                   nn::Linear<T, Device>(o.hidden, o.classes)},
        grid(o.small_images ? 3 : 6),
        pool{o.small_images ? 2 : 3, 2} {}

  template <Operand X>
  auto operator()(const X& x) const {
    return run(x, NoProbe{});
  }

  template <Operand X, class Probe>
  auto run(const X& x, Probe&& probe) const {
    const auto a = features.conv0(x);
    probe("features.0", a);
    const auto b = features.conv3(max_pool2d(a, pool));
    probe("features.3", b);
    const auto c = features.conv6(max_pool2d(b, pool));
    probe("features.6", c);
    const auto d = features.conv8(c);
    probe("features.8", d);
    const auto e = features.conv10(d);
    probe("features.10", e);
    const auto g = adaptive_avg_pool2d(max_pool2d(e, pool), grid);
    probe("avgpool", g);
    const auto h = classifier.fc1(classifier.drop0(flatten(g)));
    probe("classifier.1", h);
    const auto i = classifier.fc4(classifier.drop3(h));
    probe("classifier.4", i);
    const auto j = classifier.fc6(i);
    probe("classifier.6", j);
    return j;
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("features", self.features);
    f("classifier", self.classifier);
    f("grid", self.grid);
    f("pool", self.pool);
  }
};

}  // namespace ebb::models
