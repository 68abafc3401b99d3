/// \file
/// Ronneberger, Fischer & Brox, "U-Net: convolutional networks for biomedical image segmentation",
/// MICCAI 2015, with padding, so that sizes stay: three steps down, 16 channels at the top, two
/// classes.
#pragma once

#include <ebb/ebb.hpp>

namespace bench {

namespace nn = ebb::nn;

struct DoubleConv {
  nn::Conv2d<> conv1, conv2;

  DoubleConv(ebb::Index in, ebb::Index out)
      : conv1{in, out, 3, {.padding = 1, .activation = ebb::relu}},
        conv2{out, out, 3, {.padding = 1, .activation = ebb::relu}} {}

  auto operator()(const auto& x) const { return conv2(conv1(x)); }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
  }
};

struct UNet {
  DoubleConv down1{1, 16}, down2{16, 32}, down3{32, 64}, bottom{64, 128};
  nn::ConvTranspose2d<> rise3{128, 64, 2, {.stride = 2}}, rise2{64, 32, 2, {.stride = 2}},
      rise1{32, 16, 2, {.stride = 2}};
  DoubleConv up3{128, 64}, up2{64, 32}, up1{32, 16};
  nn::Conv2d<> head{16, 2, 1};

  auto operator()(const auto& x) const {
    using ebb::concat, ebb::max_pool2d;
    const auto a = down1(x);
    const auto b = down2(max_pool2d(a, 2));
    const auto c = down3(max_pool2d(b, 2));
    const auto d = bottom(max_pool2d(c, 2));
    const auto e = up3(concat({c, rise3(d)}, 1));
    const auto f = up2(concat({b, rise2(e)}, 1));
    return head(up1(concat({a, rise1(f)}, 1)));
  }
  static void visit(auto& self, auto&& f) {
    f("down1", self.down1);
    f("down2", self.down2);
    f("down3", self.down3);
    f("bottom", self.bottom);
    f("rise3", self.rise3);
    f("rise2", self.rise2);
    f("rise1", self.rise1);
    f("up3", self.up3);
    f("up2", self.up2);
    f("up1", self.up1);
    f("head", self.head);
  }
};

}  // namespace bench
