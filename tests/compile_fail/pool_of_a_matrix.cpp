// expect: the input must have rank 4 (batch, channels, height, width)
#include <ebb/ops/pooling/max_pool2d.hpp>

#ifdef WRONG
constexpr int rank = 2;
#else
constexpr int rank = 4;
#endif

auto pool(const ebb::Tensor<float, rank>& x) { return ebb::max_pool2d(x, {.kernel = 2}); }
