// Batches gathered from a data set on the GPU.
#include "tests/cuda/kernels/use.hpp"

#include <ebb/data/load/cuda_loader.cuh>

using namespace ebb;

void use_loaders() {
  data::Loader(data::Dataset<std::uint8_t>(), {.resident = true}, Cuda{}).next();
  data::Loader(data::Dataset<float>(), {.resident = true}, Cuda{}).next();
}
