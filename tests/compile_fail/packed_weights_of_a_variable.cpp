// expect: packed weights have no gradient; give them plain tensors, or give conv2d the weights
// expect: packed weights have no gradient; give them plain tensors, or give linear the weights
#include <ebb/ops/convolution/conv2d/packed.hpp>
#include <ebb/ops/linear_algebra/linear/packed.hpp>

#ifdef WRONG
using Image = ebb::Var<ebb::Tensor<float, 4>>;
using Rows = ebb::Var<ebb::Tensor<float, 2>>;
#else
using Image = ebb::Tensor<float, 4>;
using Rows = ebb::Tensor<float, 2>;
#endif

auto outlines(const Image& x, const ebb::PackedConv2d<float>& w) { return ebb::conv2d(x, w); }
auto score(const Rows& x, const ebb::PackedLinear<float>& w) { return ebb::linear(x, w); }
