/// \file
/// The tutorial's CNN: two convolutions, two fully connected layers, 1.6 million weights.
#pragma once

#include <ebb/ebb.hpp>

namespace bench {

namespace nn = ebb::nn;

/// `to<Cuda>` moves it, as every network that is a template of the device.
template <class Device = ebb::Cpu>
struct Cnn {
  nn::Conv2d<float, Device> conv1{1, 16, 3, {.padding = 1, .activation = ebb::relu}};
  nn::Conv2d<float, Device> conv2{16, 32, 3, {.padding = 1, .activation = ebb::relu}};
  nn::Linear<float, Device> fc1{32 * 28 * 28, 64, {.activation = ebb::relu}};
  nn::Linear<float, Device> fc2{64, 10};

  auto operator()(const auto& x) const { return fc2(fc1(ebb::flatten(conv2(conv1(x))))); }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

}  // namespace bench
