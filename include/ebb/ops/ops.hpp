/// \file
/// Every operation: one line each, and one more, below, for its kernels on CUDA.
///
/// (No `#pragma once`: <ebb/cuda.cuh> comes a second time, for those.)

// Functions of one tensor
#include <ebb/ops/elementwise/abs.hpp>
#include <ebb/ops/elementwise/clamp.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>
#include <ebb/ops/elementwise/elu.hpp>
#include <ebb/ops/elementwise/exp.hpp>
#include <ebb/ops/elementwise/gelu.hpp>
#include <ebb/ops/elementwise/hard_swish.hpp>
#include <ebb/ops/elementwise/leaky_relu.hpp>
#include <ebb/ops/elementwise/log.hpp>
#include <ebb/ops/elementwise/relu.hpp>
#include <ebb/ops/elementwise/relu6.hpp>
#include <ebb/ops/elementwise/sigmoid.hpp>
#include <ebb/ops/elementwise/silu.hpp>
#include <ebb/ops/elementwise/softplus.hpp>
#include <ebb/ops/elementwise/sqrt.hpp>
#include <ebb/ops/elementwise/square.hpp>
#include <ebb/ops/elementwise/tanh.hpp>
#include <ebb/ops/elementwise/trigonometric.hpp>

// Functions of two tensors
#include <ebb/ops/elementwise/arithmetic.hpp>
#include <ebb/ops/elementwise/broadcast.hpp>
#include <ebb/ops/elementwise/pow.hpp>

// Reductions
#include <ebb/ops/reduce/argmax.hpp>
#include <ebb/ops/reduce/cumsum/cumsum.hpp>
#include <ebb/ops/reduce/max.hpp>
#include <ebb/ops/reduce/mean.hpp>
#include <ebb/ops/reduce/sum.hpp>
#include <ebb/ops/reduce/variance.hpp>

// Softmax and losses
#include <ebb/ops/loss/bce_with_logits.hpp>
#include <ebb/ops/loss/cross_entropy.hpp>
#include <ebb/ops/loss/dice_loss.hpp>
#include <ebb/ops/loss/focal_loss.hpp>
#include <ebb/ops/loss/huber_loss.hpp>
#include <ebb/ops/loss/l1_loss.hpp>
#include <ebb/ops/loss/mse_loss.hpp>
#include <ebb/ops/loss/nll_loss.hpp>
#include <ebb/ops/loss/tversky_loss.hpp>
#include <ebb/ops/loss/weighted_losses.hpp>
#include <ebb/ops/normalisation/log_softmax.hpp>
#include <ebb/ops/normalisation/softmax.hpp>

// Products and convolutions
#include <ebb/ops/convolution/conv2d/conv2d.hpp>
#include <ebb/ops/convolution/conv2d/packed.hpp>
#include <ebb/ops/convolution/conv_transpose2d.hpp>
#include <ebb/ops/linear_algebra/linear/linear.hpp>
#include <ebb/ops/linear_algebra/linear/packed.hpp>
#include <ebb/ops/linear_algebra/matmul.hpp>

// Shapes
#include <ebb/ops/shape/concat.hpp>
#include <ebb/ops/shape/flatten.hpp>
#include <ebb/ops/shape/pad/pad.hpp>
#include <ebb/ops/shape/permute/permute.hpp>
#include <ebb/ops/shape/reshape.hpp>
#include <ebb/ops/shape/slice.hpp>
#include <ebb/ops/shape/stack.hpp>
#include <ebb/ops/shape/transpose.hpp>

// Pooling, normalisation, dropout and sampling
#include <ebb/ops/elementwise/dropout.hpp>
#include <ebb/ops/normalisation/batch_norm/batch_norm.hpp>
#include <ebb/ops/normalisation/group_norm/group_norm.hpp>
#include <ebb/ops/normalisation/layer_norm/layer_norm.hpp>
#include <ebb/ops/pooling/adaptive_avg_pool2d.hpp>
#include <ebb/ops/pooling/avg_pool2d.hpp>
#include <ebb/ops/pooling/max_pool2d.hpp>
#include <ebb/ops/pooling/upsample/upsample.hpp>

#if defined(EBB_OPERATIONS_ON_CUDA)
#  include <ebb/ops/convolution/conv2d/cuda.cuh>
#  include <ebb/ops/elementwise/activated_cuda.cuh>
#  include <ebb/ops/elementwise/broadcast/cuda.cuh>
#  include <ebb/ops/elementwise/dropout_cuda.cuh>
#  include <ebb/ops/elementwise/elementwise_cuda.cuh>
#  include <ebb/ops/linear_algebra/linear/cuda.cuh>
#  include <ebb/ops/loss/bce_with_logits_cuda.cuh>
#  include <ebb/ops/loss/cross_entropy_cuda.cuh>
#  include <ebb/ops/loss/focal_cuda.cuh>
#  include <ebb/ops/loss/nll_cuda.cuh>
#  include <ebb/ops/loss/pointwise_cuda.cuh>
#  include <ebb/ops/loss/region_cuda.cuh>
#  include <ebb/ops/normalisation/batch_norm/cuda.cuh>
#  include <ebb/ops/normalisation/group_norm/cuda.cuh>
#  include <ebb/ops/normalisation/layer_norm/cuda.cuh>
#  include <ebb/ops/normalisation/softmax/cuda.cuh>
#  include <ebb/ops/pooling/avg_cuda.cuh>
#  include <ebb/ops/pooling/max_cuda.cuh>
#  include <ebb/ops/pooling/upsample/cuda.cuh>
#  include <ebb/ops/reduce/cuda.cuh>
#  include <ebb/ops/reduce/cumsum/cuda.cuh>
#  include <ebb/ops/shape/pad/cuda.cuh>
#  include <ebb/ops/shape/permute/cuda.cuh>
#endif
