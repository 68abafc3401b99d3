// expect: `visit` names every member, settings too
#include <ebb/nn/linear.hpp>
#include <ebb/nn/on_device.hpp>

/// A device as types see it: host memory under another name.
struct Elsewhere : ebb::Cpu {};

template <class Device>
struct Net {
  ebb::nn::Linear<float, Device> fc;
  bool rectified = false;
  Net() = default;
  explicit Net(ebb::Index width) : fc{width, 1} {}
  static constexpr void visit(auto& self, auto&& f) {
    f("fc", self.fc);
#ifndef WRONG
    f("rectified", self.rectified);
#endif
  }
};

auto moved(const Net<ebb::Cpu>& net) { return ebb::to<Elsewhere>(net); }
