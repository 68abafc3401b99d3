// expect: this Eigen tensor is column-major and ebb's are row-major
#include <ebb/tensor/eigen.hpp>

ebb::Tensor<float, 2> take() {
#ifdef WRONG
  const Eigen::Tensor<float, 2> x(2, 3);
#else
  const Eigen::Tensor<float, 2, Eigen::RowMajor> x(2, 3);
#endif
  return x;
}
