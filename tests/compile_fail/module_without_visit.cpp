// expect: this type has no parts to visit; give it a member
#include <ebb/nn/nn.hpp>

struct Net {
  ebb::nn::Linear<> fc{4, 2};
  auto operator()(const auto& x) const { return fc(x); }
#ifndef WRONG
  static void visit(auto& self, auto&& f) { f("fc", self.fc); }
#endif
};

ebb::Index count(const Net& net) { return ebb::nn::count_parameters(net); }
