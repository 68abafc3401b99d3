// The network: the one of many tutorials, under PyTorch's names.
#pragma once

#include <ebb/models/probe.hpp>
#include <ebb/nn/nn.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/shape/flatten.hpp>

// Two convolutions, two fully connected layers; images (batch, 1, 28, 28) in, ten logits out.
//
// There is no softmax at the end, and this is not forgotten. The loss, cross entropy, takes logits
// and contains the softmax. A tutorial that ends its network with one applies it twice: the logits
// the loss then sees lie between 0 and 1, so the largest probability it can ever express for ten
// classes is e / (e + 9) = 23 %, the loss cannot fall below 1.46, and its gradient almost
// vanishes. Such a network still learns, slowly, which is why the mistake survives.
template <class Device = ebb::Cpu>
struct Cnn {
  ebb::nn::Conv2d<float, Device> conv1{1, 16, 3, {.padding = 1}};
  ebb::nn::Conv2d<float, Device> conv2{16, 32, 3, {.padding = 1}};
  ebb::nn::Linear<float, Device> fc1{32 * 28 * 28, 64};
  ebb::nn::Linear<float, Device> fc2{64, 10};

  auto operator()(const auto& images) const { return run(images, ebb::models::NoProbe{}); }

  // The same, and shows `probe` the last part that still has an image: explain looks there.
  auto run(const auto& images, auto&& probe) const {
    const auto features = relu(conv2(relu(conv1(images))));
    probe("conv2", features);
    return fc2(relu(fc1(flatten(features))));
  }

  static constexpr auto relu = ebb::relu;
  static constexpr auto flatten = ebb::flatten;

  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};
