// expect: the operands must be two matrices, two batches of matrices (rank 3)
#include <ebb/ops/linear_algebra/matmul.hpp>

#ifdef WRONG
constexpr int rank = 1;
#else
constexpr int rank = 2;
#endif

auto product(const ebb::Tensor<float, 2>& a, const ebb::Tensor<float, rank>& b) {
  return ebb::matmul(a, b);
}
