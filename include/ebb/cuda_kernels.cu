// The kernels for GPUs of floats and doubles that take a compiler longest, compiled once for a
// whole program: see ebb/device/compiled.hpp.
#define EBB_COMPILE_CUDA_KERNELS

#include <ebb/kit/product/cuda.cuh>
#include <ebb/ops/convolution/conv2d/cuda.cuh>
#include <ebb/ops/linear_algebra/linear/cuda.cuh>
#include <ebb/ops/normalisation/batch_norm/cuda.cuh>
