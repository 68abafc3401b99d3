/// \file
/// Saving and loading: safetensors, training checkpoints, atomic files. Needs nlohmann-json.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/io/atomic_file.hpp>
#include <ebb/io/checkpoint.hpp>
#include <ebb/io/dtype.hpp>
#include <ebb/io/safetensors.hpp>
#include <ebb/io/state.hpp>

#include <ebb/core/give_back.inl>
