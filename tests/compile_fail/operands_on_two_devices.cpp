// expect: the operands are on different devices
#include <ebb/ops/elementwise/arithmetic.hpp>

/// A device as types see it: host memory under another name.
struct Elsewhere : ebb::Cpu {};

#ifdef WRONG
using Device = Elsewhere;
#else
using Device = ebb::Cpu;
#endif

auto add(const ebb::Tensor<float, 1>& a, const ebb::Tensor<float, 1, Device>& b) { return a + b; }
