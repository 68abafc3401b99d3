// expect: the operands have different scalar types
#include <ebb/ops/elementwise/arithmetic.hpp>

#ifdef WRONG
using Other = double;
#else
using Other = float;
#endif

auto add(const ebb::Tensor<float, 2>& a, const ebb::Tensor<Other, 2>& b) { return a + b; }
