// expect: ebb::Tensor<int, N - 1>::from(labels.shape(), std::vector<int>(v.begin(), v.end()))
#include <ebb/ops/loss/cross_entropy.hpp>

auto loss(const ebb::Tensor<float, 2>& logits, const ebb::Tensor<long, 1>& labels) {
#ifdef WRONG
  return ebb::cross_entropy(logits, labels);
#else
  const auto v = labels.values();
  return ebb::cross_entropy(
      logits, ebb::Tensor<int, 1>::from(labels.shape(), std::vector<int>(v.begin(), v.end())));
#endif
}
