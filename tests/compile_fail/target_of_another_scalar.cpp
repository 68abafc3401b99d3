// expect: the target of this loss must have the scalar type of its input
#include <ebb/ops/loss/mse_loss.hpp>

#ifdef WRONG
using Target = int;
#else
using Target = float;
#endif

auto loss(const ebb::Tensor<float, 2>& x, const ebb::Tensor<Target, 2>& t) {
  return ebb::mse_loss(x, t);
}
