// expect: the target of this loss must have the rank of its input
#include <ebb/ops/loss/bce_with_logits.hpp>

#ifdef WRONG
constexpr int rank = 1;
#else
constexpr int rank = 2;
#endif

auto loss(const ebb::Tensor<float, 2>& x, const ebb::Tensor<float, rank>& t) {
  return ebb::bce_with_logits(x, t);
}
