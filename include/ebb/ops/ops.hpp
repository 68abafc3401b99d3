/// \file
/// Every operation: one line each.
#pragma once

// Functions of one tensor
#include <ebb/ops/abs.hpp>
#include <ebb/ops/clamp.hpp>
#include <ebb/ops/elementwise.hpp>
#include <ebb/ops/elu.hpp>
#include <ebb/ops/exp.hpp>
#include <ebb/ops/gelu.hpp>
#include <ebb/ops/leaky_relu.hpp>
#include <ebb/ops/log.hpp>
#include <ebb/ops/relu.hpp>
#include <ebb/ops/sigmoid.hpp>
#include <ebb/ops/silu.hpp>
#include <ebb/ops/softplus.hpp>
#include <ebb/ops/sqrt.hpp>
#include <ebb/ops/square.hpp>
#include <ebb/ops/tanh.hpp>
#include <ebb/ops/trigonometric.hpp>

// Functions of two tensors
#include <ebb/ops/arithmetic.hpp>
#include <ebb/ops/broadcast.hpp>
#include <ebb/ops/pow.hpp>

// Reductions
#include <ebb/ops/reduce/argmax.hpp>
#include <ebb/ops/reduce/max.hpp>
#include <ebb/ops/reduce/mean.hpp>
#include <ebb/ops/reduce/sum.hpp>
#include <ebb/ops/reduce/variance.hpp>

// Softmax and losses
#include <ebb/ops/log_softmax.hpp>
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
#include <ebb/ops/softmax.hpp>

// Products and convolutions
#include <ebb/ops/conv2d/conv2d.hpp>
#include <ebb/ops/conv_transpose2d/conv_transpose2d.hpp>
#include <ebb/ops/linear/linear.hpp>
#include <ebb/ops/matmul/matmul.hpp>

// Shapes
#include <ebb/ops/concat.hpp>
#include <ebb/ops/flatten.hpp>
#include <ebb/ops/pad/pad.hpp>
#include <ebb/ops/permute/permute.hpp>
#include <ebb/ops/reshape.hpp>
#include <ebb/ops/slice.hpp>
#include <ebb/ops/stack.hpp>
#include <ebb/ops/transpose.hpp>

// Pooling, normalisation, dropout and sampling
#include <ebb/ops/batch_norm/batch_norm.hpp>
#include <ebb/ops/dropout.hpp>
#include <ebb/ops/group_norm/group_norm.hpp>
#include <ebb/ops/layer_norm/layer_norm.hpp>
#include <ebb/ops/pool/adaptive_avg_pool2d.hpp>
#include <ebb/ops/pool/avg_pool2d.hpp>
#include <ebb/ops/pool/max_pool2d.hpp>
#include <ebb/ops/upsample/upsample.hpp>
