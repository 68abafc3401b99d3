// Convolutions, in every precision.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

template <class T>
void use_convolutions() {
  use([](const auto& x, const auto& w,
         const auto& b) { return conv2d(x, w, b, {.activation = Activation::relu}); },
      operand<4, T>(), operand<4, T>(), operand<1, T>());
  use([](const auto& x, const auto& w, const auto& b) { return conv_transpose2d(x, w, b); },
      operand<4, T>(), operand<4, T>(), operand<1, T>());
}

}  // namespace

void use_convolutions_of_both() {
  use_convolutions<float>();
  use_convolutions<double>();
}
