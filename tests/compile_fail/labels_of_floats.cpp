// expect: the labels of this loss are class numbers, a Tensor<int, N - 1>
#include <ebb/ops/loss/cross_entropy.hpp>

#ifdef WRONG
using Label = float;
#else
using Label = int;
#endif

auto loss(const ebb::Var<ebb::Tensor<float, 2>>& logits, const ebb::Tensor<Label, 1>& labels) {
  return ebb::cross_entropy(logits, labels);
}
