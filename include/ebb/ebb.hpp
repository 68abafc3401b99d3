/// \file
/// Everything from tensors to optimizers: the one include of a program that trains or predicts.
/// Needs Eigen; uses OpenMP where the compiler has it switched on. Reading data, saving files and
/// training comfort are separate: <ebb/data.hpp>, <ebb/io.hpp>, <ebb/train.hpp>.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/device/performance_hint.hpp>
#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/optim.hpp>
#include <ebb/tape/backward.hpp>
#include <ebb/tape/checkpoint.hpp>
#include <ebb/tape/forward.hpp>
#include <ebb/tape/gradcheck.hpp>
#include <ebb/tape/print.hpp>
#include <ebb/tensor/eigen.hpp>
#include <ebb/tensor/print.hpp>

#include <ebb/core/give_back.inl>
