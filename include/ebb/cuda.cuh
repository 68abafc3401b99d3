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
#include <ebb/ops/convolution/conv2d/cuda.cuh>
#include <ebb/ops/elementwise/activated_cuda.cuh>
#include <ebb/ops/elementwise/broadcast/cuda.cuh>
#include <ebb/ops/elementwise/dropout_cuda.cuh>
#include <ebb/ops/elementwise/elementwise_cuda.cuh>
#include <ebb/ops/linear_algebra/linear/cuda.cuh>
#include <ebb/ops/loss/bce_with_logits_cuda.cuh>
#include <ebb/ops/loss/classes_cuda.cuh>
#include <ebb/ops/loss/focal_cuda.cuh>
#include <ebb/ops/loss/pointwise_cuda.cuh>
#include <ebb/ops/loss/region_cuda.cuh>
#include <ebb/ops/normalisation/batch_norm/cuda.cuh>
#include <ebb/ops/normalisation/group_norm/cuda.cuh>
#include <ebb/ops/normalisation/layer_norm/cuda.cuh>
#include <ebb/ops/normalisation/softmax/cuda.cuh>
#include <ebb/ops/pooling/avg_cuda.cuh>
#include <ebb/ops/pooling/max_cuda.cuh>
#include <ebb/ops/pooling/upsample/cuda.cuh>
#include <ebb/ops/reduce/cuda.cuh>
#include <ebb/ops/shape/pad/cuda.cuh>
#include <ebb/ops/shape/permute/cuda.cuh>
#include <ebb/optim/clip.cuh>
#include <ebb/optim/kernel.cuh>
#include <ebb/tape/forward.cuh>
#include <ebb/tape/track.cuh>
#include <ebb/tensor/storage.cuh>
#include <ebb/train/capture.cuh>

#include <ebb/core/give_back.inl>
