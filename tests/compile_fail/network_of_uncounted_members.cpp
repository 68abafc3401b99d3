// expect: this class of the network has a constructor, so that its members can't be counted
#include <ebb/nn/linear.hpp>
#include <ebb/nn/on_device.hpp>

/// A device as types see it: host memory under another name.
struct Elsewhere : ebb::Cpu {};

template <class Device>
struct Net {
  ebb::nn::Linear<float, Device> fc;
  Net() = default;
  explicit Net(ebb::Index width) : fc{width, 1} {}
#ifdef WRONG
  static void visit(auto& self, auto&& f) { f("fc", self.fc); }
#else
  static constexpr void visit(auto& self, auto&& f) { f("fc", self.fc); }
#endif
};

auto moved(const Net<ebb::Cpu>& net) { return ebb::to<Elsewhere>(net); }
