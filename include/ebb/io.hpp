/// \file
/// Saving and loading: safetensors, PyTorch's files, training checkpoints, atomic files. Needs
/// nlohmann-json and zlib.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/io/atomic_file.hpp>
#include <ebb/io/checkpoint.hpp>
#include <ebb/io/dtype.hpp>
#include <ebb/io/named_tensor.hpp>
#include <ebb/io/pytorch.hpp>
#include <ebb/io/safetensors.hpp>
#include <ebb/io/state.hpp>
#include <ebb/io/tensor_file.hpp>
#include <ebb/io/weights.hpp>

#include <ebb/core/give_back.inl>
