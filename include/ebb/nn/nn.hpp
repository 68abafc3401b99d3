/// \file
/// Modules: layers, containers, initialisers and summaries.
#pragma once

#include <ebb/nn/batch_norm.hpp>
#include <ebb/nn/buffer.hpp>
#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/conv_transpose2d.hpp>
#include <ebb/nn/copy_state.hpp>
#include <ebb/nn/dropout.hpp>
#include <ebb/nn/functions.hpp>
#include <ebb/nn/group_norm.hpp>
#include <ebb/nn/init.hpp>
#include <ebb/nn/layer_norm.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/mode.hpp>
#include <ebb/nn/on_device.hpp>
#include <ebb/nn/pool.hpp>
#include <ebb/nn/print.hpp>
#include <ebb/nn/residual.hpp>
#include <ebb/nn/sequential.hpp>
#include <ebb/nn/stack.hpp>
#include <ebb/nn/summary.hpp>
#include <ebb/nn/upsample.hpp>
#include <ebb/nn/visit.hpp>
