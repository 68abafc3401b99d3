// expect: input, weight and bias must have one scalar type and live on one device
#include <ebb/nn/linear.hpp>

/// A device as types see it: host memory under another name.
struct Elsewhere : ebb::Cpu {};

#ifdef WRONG
using Device = Elsewhere;
#else
using Device = ebb::Cpu;
#endif

auto run(const ebb::nn::Linear<float>& layer, const ebb::Tensor<float, 2, Device>& x) {
  return layer(x);
}
