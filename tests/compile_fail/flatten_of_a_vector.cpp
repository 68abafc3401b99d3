// expect: keeps axis 0 and joins the others, so it needs at least two axes
#include <ebb/ops/shape/flatten.hpp>

#ifdef WRONG
constexpr int rank = 1;
#else
constexpr int rank = 4;
#endif

auto join(const ebb::Tensor<float, rank>& x) { return ebb::flatten(x); }
