// expect: std::vector<int> v of n labels write ebb::Tensor<int, 1>::from({n}, v)
#include <ebb/ops/loss/cross_entropy.hpp>

auto loss(const ebb::Tensor<float, 2>& logits, ebb::Index n, const std::vector<int>& v) {
#ifdef WRONG
  static_cast<void>(n);
  return ebb::cross_entropy(logits, v);
#else
  return ebb::cross_entropy(logits, ebb::Tensor<int, 1>::from({n}, v));
#endif
}
