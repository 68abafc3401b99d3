/// \file
/// A program of benchmarks/cuda in the emulator: its `main` is `benchmark`, which this one calls.
#pragma once

#include "tests/support/gpu_emulator.hpp"

#include <cstdlib>

/// With EBB_EMULATED_GPUS=0 in the environment the machine has none.
inline void choose_gpus() {
  if (const char* const gpus = std::getenv("EBB_EMULATED_GPUS"))
    ebb::gpu::emulator::config.devices = std::atoi(gpus);
}
