// expect: the labels have the rank of the input less one
#include <ebb/ops/loss/cross_entropy.hpp>

#ifdef WRONG
constexpr int rank = 2;
#else
constexpr int rank = 1;
#endif

auto loss(const ebb::Tensor<float, 2>& logits, const ebb::Tensor<int, rank>& labels) {
  return ebb::cross_entropy(logits, labels);
}
