// The kernels of floats and doubles, compiled once for a whole program: see
// ebb/device/compiled.hpp.
#define EBB_COMPILE_KERNELS

#include <ebb/ops/batch_norm/cpu.hpp>
#include <ebb/ops/conv2d/cpu.hpp>
#include <ebb/ops/loss/classes_cpu.hpp>
#include <ebb/ops/matmul/cpu.hpp>
#include <ebb/ops/pool/cpu.hpp>
#include <ebb/ops/softmax/cpu.hpp>
