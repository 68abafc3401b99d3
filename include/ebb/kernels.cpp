// The kernels of floats and doubles, compiled once for a whole program: see
// ebb/device/compiled.hpp.
#define EBB_COMPILE_KERNELS

#include <ebb/ops/ops.hpp>
#include <ebb/optim/optim.hpp>
