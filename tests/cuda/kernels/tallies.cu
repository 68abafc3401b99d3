// Loss and accuracy added up on the GPU.
#include "tests/cuda/kernels/use.hpp"

#include <ebb/train/cuda_tally.cuh>

using namespace ebb;
using namespace ebb::test;

void use_tallies() {
  CudaTally tally;
  tally.add(operand<0>(), 1);
  tally.add_scores(operand<2>(), operand<1, int>());
}
