// expect: a part of this network stays on its device
#include <ebb/nn/linear.hpp>
#include <ebb/nn/on_device.hpp>

/// A device as types see it: host memory under another name.
struct Elsewhere : ebb::Cpu {};

template <class Device>
struct Net {
#ifdef WRONG
  ebb::nn::Linear<float> fc{2, 1};
#else
  ebb::nn::Linear<float, Device> fc{2, 1};
#endif
  static void visit(auto& self, auto&& f) { f("fc", self.fc); }
};

auto moved(const Net<ebb::Cpu>& net) { return ebb::to<Elsewhere>(net); }
