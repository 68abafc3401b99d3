// expect: the Eigen expression has another rank than the tensor
#include <ebb/tensor/eigen.hpp>

#ifdef WRONG
constexpr int rank = 3;
#else
constexpr int rank = 2;
#endif

ebb::Tensor<float, rank> take(const Eigen::Tensor<float, 2, Eigen::RowMajor>& x) { return x; }
