// expect: the mean of whole numbers is not a whole number
#include <ebb/ops/reduce/mean.hpp>

#ifdef WRONG
using Scalar = int;
#else
using Scalar = float;
#endif

auto average(const ebb::Tensor<Scalar, 2>& x) { return ebb::mean(x, 0); }
