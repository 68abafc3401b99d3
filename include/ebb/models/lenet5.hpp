/// \file
/// LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition",
/// Proc. IEEE 86 (1998), with today's rectifiers and max pooling.
#pragma once

#include <ebb/models/probe.hpp>
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/ops/ops.hpp>

namespace ebb::inline EBB_ABI::models {

struct LeNet5Options {
  Index channels = 1;
  Index classes = 10;
};

/// x (n, channels, 28, 28) -> logits (n, classes). Parts for a probe: conv1, conv2, fc1, fc2, fc3.
template <class T = float, class Device = Cpu>
struct LeNet5 {
  nn::Conv2d<T, Device> conv1, conv2;
  nn::Linear<T, Device> fc1, fc2, fc3;

  /// \throws ValueError when an extent is below 1.
  explicit LeNet5(LeNet5Options o = {})
      : conv1{o.channels, 6, 5, {.padding = 2, .activation = relu}},
        conv2{6, 16, 5, {.activation = relu}},
        fc1{16 * 5 * 5, 120, {.activation = relu}},
        fc2{120, 84, {.activation = relu}},
        fc3{84, o.classes} {}

  template <Operand X>
  auto operator()(const X& x) const {
    return run(x, NoProbe{});
  }

  /// \throws ShapeError when the images are not 28 by 28.
  template <Operand X, class Probe>
  auto run(const X& x, Probe&& probe) const {
    if (x.extent(2) != 28 || x.extent(3) != 28)
      throw ShapeError(message("LeNet5: images of shape ", x.shape(),
                               " were given; it takes 28 by 28 pixels: resize or pad them"));
    const auto a = conv1(x);
    probe("conv1", a);
    const auto b = conv2(max_pool2d(a, 2));
    probe("conv2", b);
    const auto c = fc1(flatten(max_pool2d(b, 2)));
    probe("fc1", c);
    const auto d = fc2(c);
    probe("fc2", d);
    const auto e = fc3(d);
    probe("fc3", e);
    return e;
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
    f("fc3", self.fc3);
  }
};

}  // namespace ebb::models
