/// \file
/// The networks that the tests of io save and load.
#pragma once

#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>

namespace ebb::test {

/// The network of tests/oracle/safetensors_roundtrip.py: images (n, 1, 6, 5) to 3 classes.
template <class T = float>
struct SmallNet {
  nn::Conv2d<T> conv1{1, 4, 3, {.padding = 1}};
  nn::BatchNorm2d<T> bn1{4};
  nn::Linear<T> fc1{4 * 6 * 5, 7, {.bias = false}};
  nn::Linear<T> fc2{7, 3};

  auto operator()(const auto& x) const { return fc2(relu(fc1(flatten(relu(bn1(conv1(x))))))); }

  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

/// Every parameter and buffer, one after the other, as numbers.
template <class Net>
std::vector<double> state_of(const Net& net) {
  std::vector<double> all;
  nn::visit_state(net, [&](const std::string&, const auto& x) {
    for (const auto v : x.value().values()) all.push_back(static_cast<double>(v));
  });
  return all;
}

}  // namespace ebb::test
