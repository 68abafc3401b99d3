// Matrix products, affine maps and convolutions, in every precision.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

void use_matmul() {
  use([](const auto& a, const auto& b) { return matmul(a, b); }, operand<2>(), operand<2>());
  use([](const auto& a, const auto& b) { return matmul(a, b); }, operand<3>(), operand<3>());
}

void use_linear() {
  use([](const auto& x, const auto& w, const auto& b) { return linear(x, w, b, Activation::relu); },
      operand<2>(), operand<2>(), operand<1>());
}

void use_conv2d() {
  use([](const auto& x, const auto& w,
         const auto& b) { return conv2d(x, w, b, {.activation = Activation::relu}); },
      operand<4>(), operand<4>(), operand<1>());
}

void use_conv_transpose2d() {
  use([](const auto& x, const auto& w, const auto& b) { return conv_transpose2d(x, w, b); },
      operand<4>(), operand<4>(), operand<1>());
}
