/// \file
/// Everything of <ebb/ebb.hpp> on NVIDIA GPUs: include it in files that nvcc compiles, and write
/// `Tensor<float, 4, Cuda>`.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/ebb.hpp>

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/cuda/precision.cuh>
#include <ebb/device/cuda/step.cuh>
#include <ebb/device/gpu/graph.cuh>
#include <ebb/kit/product/cuda.cuh>
#include <ebb/kit/slab.cuh>
#include <ebb/nn/batch_norm.cuh>
#include <ebb/nn/init.cuh>
#include <ebb/optim/clip.cuh>
#include <ebb/optim/kernel.cuh>
#include <ebb/tape/forward.cuh>
#include <ebb/tape/track.cuh>
#include <ebb/tensor/storage.cuh>
#include <ebb/train/capture.cuh>

// The kernels of operations.
#define EBB_OPERATIONS_ON_CUDA
#include <ebb/ops/ops.hpp>
#undef EBB_OPERATIONS_ON_CUDA

#include <ebb/core/give_back.inl>
