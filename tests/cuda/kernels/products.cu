// Matrix products and affine maps, in every precision.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

template <class T>
void use_products() {
  const auto product = [](const auto& a, const auto& b) { return matmul(a, b); };
  use(product, operand<2, T>(), operand<2, T>());
  use(product, operand<3, T>(), operand<3, T>());
  use([](const auto& x, const auto& w, const auto& b) { return linear(x, w, b, Activation::relu); },
      operand<2, T>(), operand<2, T>(), operand<1, T>());
}

}  // namespace

void use_products_of_both() {
  use_products<float>();
  use_products<double>();
}
