// ebb/cuda_kernels.cu on the emulator.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda_kernels.cu>
