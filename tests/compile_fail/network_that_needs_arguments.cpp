// expect: must also be made without arguments, to be filled: add `Net() = default;`
#include <ebb/nn/linear.hpp>
#include <ebb/nn/on_device.hpp>

/// A device as types see it: host memory under another name.
struct Elsewhere : ebb::Cpu {};

template <class Device>
struct Net {
  ebb::nn::Linear<float, Device> fc;
#ifndef WRONG
  Net() = default;
#endif
  explicit Net(ebb::Index width) : fc{width, 1} {}
  static constexpr void visit(auto& self, auto&& f) { f("fc", self.fc); }
};

auto moved(const Net<ebb::Cpu>& net) { return ebb::to<Elsewhere>(net); }
