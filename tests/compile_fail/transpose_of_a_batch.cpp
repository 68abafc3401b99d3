// expect: without axes it takes a matrix; say which two axes to exchange
#include <ebb/ops/shape/transpose.hpp>

auto turn(const ebb::Tensor<float, 3>& x) {
#ifdef WRONG
  return ebb::transpose(x);
#else
  return ebb::transpose(x, -2, -1);
#endif
}
