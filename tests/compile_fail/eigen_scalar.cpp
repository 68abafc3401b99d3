// expect: the Eigen expression has another scalar type; use .cast<T>() on it
#include <ebb/tensor/eigen.hpp>

ebb::Tensor<float, 1> take(const Eigen::Tensor<double, 1, Eigen::RowMajor>& x) {
#ifdef WRONG
  return x;
#else
  return x.cast<float>();
#endif
}
