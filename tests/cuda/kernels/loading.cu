// Batches gathered from a data set on the GPU.
#include "tests/cuda/kernels/use.hpp"

#include <ebb/data/load/cuda_loader.cuh>

using namespace ebb;

void use_loaders() {
  data::CudaLoader<std::uint8_t>(data::Dataset<std::uint8_t>()).next();
  data::CudaLoader<float>(data::Dataset<float>()).next();
}
