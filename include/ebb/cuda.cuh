/// \file
/// Everything of <ebb/ebb.hpp> on NVIDIA GPUs: include it in files that nvcc compiles, and write
/// `Tensor<float, 4, Cuda>`.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/ebb.hpp>

#include <ebb/device/cuda.cuh>
#include <ebb/device/cuda_precision.cuh>
#include <ebb/device/cuda_step.cuh>
#include <ebb/device/gpu_graph.cuh>
#include <ebb/nn/batch_norm.cuh>
#include <ebb/nn/init.cuh>
#include <ebb/ops/batch_norm/cuda.cuh>
#include <ebb/ops/broadcast/cuda.cuh>
#include <ebb/ops/conv2d/cuda.cuh>
#include <ebb/ops/dropout.cuh>
#include <ebb/ops/elementwise.cuh>
#include <ebb/ops/group_norm/cuda.cuh>
#include <ebb/ops/layer_norm/cuda.cuh>
#include <ebb/ops/linear/cuda.cuh>
#include <ebb/ops/loss/bce_with_logits.cuh>
#include <ebb/ops/loss/classes_cuda.cuh>
#include <ebb/ops/loss/focal_cuda.cuh>
#include <ebb/ops/loss/pointwise.cuh>
#include <ebb/ops/loss/region_cuda.cuh>
#include <ebb/ops/matmul/cuda.cuh>
#include <ebb/ops/pad/cuda.cuh>
#include <ebb/ops/permute/cuda.cuh>
#include <ebb/ops/pool/avg_cuda.cuh>
#include <ebb/ops/pool/max_cuda.cuh>
#include <ebb/ops/reduce/cuda.cuh>
#include <ebb/ops/slab.cuh>
#include <ebb/ops/softmax/cuda.cuh>
#include <ebb/ops/upsample/cuda.cuh>
#include <ebb/optim/clip.cuh>
#include <ebb/optim/kernel.cuh>
#include <ebb/tape/forward.cuh>
#include <ebb/tape/track.cuh>
#include <ebb/tensor/storage.cuh>
#include <ebb/train/capture.cuh>

#include <ebb/core/give_back.inl>
