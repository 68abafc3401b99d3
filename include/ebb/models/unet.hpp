/// \file
/// Ronneberger, Fischer & Brox, "U-Net: convolutional networks for biomedical image segmentation",
/// MICCAI 2015, with padded convolutions, so that the result has the size of the image.
#pragma once

#include <ebb/models/probe.hpp>
#include <ebb/nn/batch_norm.hpp>
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/conv_transpose2d.hpp>
#include <ebb/nn/visit.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/tape/checkpoint.hpp>

#include <optional>

namespace ebb::inline EBB_ABI::models {

/// Two 3x3 convolutions, each rectified, with batch norm in between or without.
template <class T = float, class Device = Cpu>
struct DoubleConv {
  nn::Conv2d<T, Device> conv1, conv2;
  std::optional<nn::BatchNorm2d<T, Device>> bn1, bn2;

  DoubleConv() = default;
  /// With batch norm the convolutions have no bias, which the norm would take away again.
  DoubleConv(Index in, Index out, bool batch_norm)
      : conv1(convolution(in, out, batch_norm)), conv2(convolution(out, out, batch_norm)) {
    if (batch_norm) {
      bn1.emplace(out);
      bn2.emplace(out);
    }
  }

  auto operator()(const auto& x) const {
    auto y = conv1(x);
    if (bn1) y = relu((*bn1)(y));
    y = conv2(y);
    if (bn2) y = relu((*bn2)(y));
    return y;
  }
  static constexpr void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("conv2", self.conv2);
    f("bn2", self.bn2);
  }

 private:
  static nn::Conv2d<T, Device> convolution(Index in, Index out, bool batch_norm) {
    return {in,
            out,
            3,
            {.padding = 1,
             .bias = !batch_norm,
             .activation = batch_norm ? Activation::none : Activation(relu)}};
  }
};

struct UNetOptions {
  Index channels = 1;
  Index classes = 2;
  Index base = 16;          ///< channels at full size; each step down doubles them (the paper: 64)
  int depth = 3;            ///< steps down (the paper: 4)
  bool batch_norm = true;   ///< the paper has none
  bool checkpoint = false;  ///< keep for backward only what passes between blocks (`UNet`)
};

/// x (n, channels, h, w) -> logits of every pixel (n, classes, h, w). h and w must be multiples of
/// 2^depth. Level k has base 2^k channels; names are `down.k.conv1.weight`, `down.k.bn1...`,
/// `bottom...`, `rise.k.weight` (the up-convolution to level k, 2x2 of stride 2), `up.k...` and
/// `head.weight`, with k from 0 at full size. Parts for a probe: down.k, bottom, up.k, head.
///
/// With `.checkpoint = true`, training keeps the results of the blocks alone and computes what is
/// inside of each again during backward (tape/checkpoint.hpp): about 60 to 70 % of the memory, the
/// forward pass twice, and the same bits in results, gradients and running statistics.
template <class T = float, class Device = Cpu>
struct UNet {
  std::vector<DoubleConv<T, Device>> down;
  DoubleConv<T, Device> bottom;
  std::vector<nn::ConvTranspose2d<T, Device>> rise;
  std::vector<DoubleConv<T, Device>> up;
  nn::Conv2d<T, Device> head;
  bool checkpointed = false;

  /// \throws ValueError when an extent is below 1, or the depth not from 1 to 8.
  explicit UNet(UNetOptions o = {})
      : bottom(o.base << (checked(o.depth) - 1), o.base << o.depth, o.batch_norm),
        head(o.base, o.classes, 1),
        checkpointed(o.checkpoint) {
    for (int k = 0; k < o.depth; ++k) {
      const Index width = o.base << k;
      down.emplace_back(k == 0 ? o.channels : width / 2, width, o.batch_norm);
      rise.emplace_back(2 * width, width, 2, nn::ConvTransposeOptions{.stride = 2});
      up.emplace_back(2 * width, width, o.batch_norm);
    }
  }

  template <Operand X>
  auto operator()(const X& x) const {
    return run(x, NoProbe{});
  }

  /// \throws ShapeError when height or width is no multiple of 2^depth.
  template <Operand X, class Probe>
  auto run(const X& x, Probe&& probe) const {
    const Index unit = Index{1} << down.size();
    if (x.extent(2) % unit != 0 || x.extent(3) % unit != 0)
      throw ShapeError(message("UNet: images of shape ", x.shape(), " do not halve ", down.size(),
                               " times; crop or pad height and width to multiples of ", unit));
    using Y = std::remove_cvref_t<decltype(down[0](x))>;
    std::vector<Y> kept;
    for (std::size_t k = 0; k < down.size(); ++k) {
      if (k == 0)
        kept.push_back(block([this](const auto& h) { return down[0](h); }, x));
      else
        kept.push_back(
            block([this, k](const auto& h) { return down[k](max_pool2d(h, 2)); }, kept.back()));
      probe("down." + std::to_string(k), kept.back());
    }
    Y y = block([this](const auto& h) { return bottom(max_pool2d(h, 2)); }, kept.back());
    probe("bottom", y);
    for (std::size_t k = up.size(); k-- > 0;) {
      y = block(
          [this, k](const auto& side, const auto& below) {
            return up[k](concat({side, rise[k](below)}, 1));
          },
          kept[k], y);
      kept.pop_back();
      probe("up." + std::to_string(k), y);
    }
    const auto logits = head(y);
    probe("head", logits);
    return logits;
  }

  /// Pixels on each side of one that its logits can depend on: the margin of tiles
  /// (models/tiled.hpp) is to be as large. Two convolutions reach 2^k + 2^k pixels at level k,
  /// pooling up to 2^k.
  Index reach() const {
    const Index unit = Index{1} << down.size();
    return 7 * unit - 5;
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("down", self.down);
    f("bottom", self.bottom);
    f("rise", self.rise);
    f("up", self.up);
    f("head", self.head);
    f("checkpointed", self.checkpointed);
  }

 private:
  auto block(auto&& f, const auto&... x) const {
    return checkpointed ? ebb::checkpoint(f, x...) : f(x...);
  }
  static int checked(int depth) {
    if (depth < 1 || depth > 8)
      throw ValueError(message("UNet: a depth of ", depth, " was given; use 1 to 8"));
    return depth;
  }
};

}  // namespace ebb::models
