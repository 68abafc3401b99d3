/// \file
/// A small network for 28x28 medical images.
#pragma once

#include <ebb/models/probe.hpp>
#include <ebb/nn/batch_norm.hpp>
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/dropout.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/ops/ops.hpp>

namespace ebb::inline EBB_ABI::models {

/// A 3x3 convolution, a batch norm and a rectifier.
template <class T = float, class Device = Cpu>
struct ConvBlock {
  nn::Conv2d<T, Device> conv;
  nn::BatchNorm2d<T, Device> bn;

  ConvBlock() = default;
  ConvBlock(Index in, Index out) : conv{in, out, 3, {.padding = 1, .bias = false}}, bn{out} {}

  auto operator()(const auto& x) const { return relu(bn(conv(x))); }
  static constexpr void visit(auto& self, auto&& f) {
    f("conv", self.conv);
    f("bn", self.bn);
  }
};

struct MedicalCnnOptions {
  Index channels = 1;
  Index classes = 2;
  Index width =
      32;  ///< channels of the first two convolutions; twice and four times as many follow
  double dropout = 0.3;
};

/// x (n, channels, h, w) -> logits (n, classes); h and w from 4 on. Five convolutions with batch
/// norm, halved after the second and the fourth, the mean over the image, dropout and a dense
/// layer. Parts for a probe: block1 to block5, fc.
template <class T = float, class Device = Cpu>
struct MedicalCnn {
  ConvBlock<T, Device> block1, block2, block3, block4, block5;
  nn::Dropout<T, Device> dropout;
  nn::Linear<T, Device> fc;

  /// \throws ValueError when an extent is below 1 or the dropout is no probability.
  explicit MedicalCnn(MedicalCnnOptions o = {})
      : block1(o.channels, o.width),
        block2(o.width, o.width),
        block3(o.width, 2 * o.width),
        block4(2 * o.width, 2 * o.width),
        block5(2 * o.width, 4 * o.width),
        dropout(o.dropout),
        fc(4 * o.width, o.classes) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return run(x, NoProbe{});
  }

  template <Operand X, class Probe>
  auto run(const X& x, Probe&& probe) const {
    const auto a = block1(x);
    probe("block1", a);
    const auto b = block2(a);
    probe("block2", b);
    const auto c = block3(max_pool2d(b, 2));
    probe("block3", c);
    const auto d = block4(c);
    probe("block4", d);
    const auto e = block5(max_pool2d(d, 2));
    probe("block5", e);
    const auto logits = fc(dropout(flatten(adaptive_avg_pool2d(e, 1))));
    probe("fc", logits);
    return logits;
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("block1", self.block1);
    f("block2", self.block2);
    f("block3", self.block3);
    f("block4", self.block4);
    f("block5", self.block5);
    f("dropout", self.dropout);
    f("fc", self.fc);
  }
};

}  // namespace ebb::models
