// expect: the input must have rank 2 or more, (..., features)
#include <ebb/ops/linear_algebra/linear/linear.hpp>

#ifdef WRONG
constexpr int rank = 1;
#else
constexpr int rank = 2;
#endif

auto score(const ebb::Tensor<float, rank>& x, const ebb::Tensor<float, 2>& w) {
  return ebb::linear(x, w);
}
