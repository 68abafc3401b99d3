// expect: the function returned a plain tensor, so it does not depend on
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/tape/gradcheck.hpp>

bool check(const ebb::Tensor<double, 1>& x) {
  const auto f = [&](const auto& v) {
#ifdef WRONG
    return ebb::relu(value(v));
#else
    return ebb::relu(v);
#endif
  };
  return static_cast<bool>(ebb::gradcheck(f, x));
}
