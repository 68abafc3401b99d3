// expect: more axes are given than the tensor has
#include <ebb/ops/reduce/sum.hpp>

#ifdef WRONG
constexpr ebb::Axes axes{0, 1, 2};
#else
constexpr ebb::Axes axes{0, 1};
#endif

auto total(const ebb::Tensor<float, 2>& x) { return ebb::sum(x, axes); }
