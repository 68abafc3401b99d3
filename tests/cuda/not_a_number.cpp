#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>

#include "tests/support/not_a_number.hpp"

TEST_CASE("cuda: not-a-number travels through every operation as in PyTorch") {
  ebb::test::check_not_a_number<float, ebb::Cuda>();
}
