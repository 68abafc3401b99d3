// expect: a part that is a raw pointer or a reference_wrapper belongs to somebody else
// expect: a part of this network has no parts to visit, and is more than plain data
// expect: a Tensor among the parts of a network would be neither trained nor saved
// expect: an unordered map has no order that a run could repeat
#include <ebb/nn/nn.hpp>

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

struct Net {
  using Layer = ebb::nn::Linear<>;
  Layer fc{4, 2};
#ifdef WRONG
  Layer* pointer = &fc;
  std::function<void()> hidden;
  ebb::Tensor<float, 1> mean;
  std::unordered_map<int, Layer> layers;
#else
  std::unique_ptr<Layer> pointer;
  Layer hidden{4, 2};
  ebb::nn::Buffer<ebb::Tensor<float, 1>> mean;
  std::map<int, Layer> layers;
#endif
  static void visit(auto& self, auto&& f) {
    f("fc", self.fc);
    f("pointer", self.pointer);
    f("hidden", self.hidden);
    f("mean", self.mean);
    f("layers", self.layers);
  }
};

ebb::Index count(const Net& net) { return ebb::nn::count_parameters(net); }
