/// \file
/// LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition",
/// Proc. IEEE 86 (1998), with today's rectifiers and max pooling.
#pragma once

#include <ebb/ebb.hpp>

namespace bench {

namespace nn = ebb::nn;

struct LeNet5 {
  nn::Conv2d<> conv1{1, 6, 5, {.padding = 2, .activation = ebb::relu}};
  nn::Conv2d<> conv2{6, 16, 5, {.activation = ebb::relu}};
  nn::Linear<> fc1{16 * 5 * 5, 120, {.activation = ebb::relu}};
  nn::Linear<> fc2{120, 84, {.activation = ebb::relu}};
  nn::Linear<> fc3{84, 10};

  auto operator()(const auto& x) const {
    const auto y = ebb::max_pool2d(conv2(ebb::max_pool2d(conv1(x), 2)), 2);
    return fc3(fc2(fc1(ebb::flatten(y))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
    f("fc3", self.fc3);
  }
};

}  // namespace bench
