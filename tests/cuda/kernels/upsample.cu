// Images enlarged.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

void use_upsample() {
  use([](const auto& x) { return upsample_nearest2d(x, Scale2{2}); }, operand<4>());
  use([](const auto& x) { return upsample_bilinear2d(x, Scale2{2}); }, operand<4>());
}
