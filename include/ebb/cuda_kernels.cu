// The kernels for GPUs of floats and doubles that take a compiler longest, compiled once for a
// whole program: see ebb/device/compiled.hpp.
#define EBB_COMPILE_CUDA_KERNELS

#include <ebb/ops/batch_norm/cuda.cuh>
#include <ebb/ops/conv2d/cuda.cuh>
#include <ebb/ops/linear/cuda.cuh>
#include <ebb/ops/matmul/cuda.cuh>
