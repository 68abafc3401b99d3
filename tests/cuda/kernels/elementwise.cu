// Elementwise functions, broadcasting, reductions; what every tensor needs.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

void use_elementwise() {
  use(relu, operand<1>());
  use(gelu, operand<1>());
  use([](const auto& x) { return 2.0f * x; }, operand<1>());
}

void use_broadcasting() {
  use([](const auto& a, const auto& b) { return a * b; }, operand<4>(), operand<1>());
}

void use_reductions() {
  use([](const auto& x) { return sum(x, Axes{0, 2}); }, operand<3>());
  use([](const auto& x) { return max(x, 1); }, operand<3>());
  use([](const auto& x) { return variance(x, 1); }, operand<3>());
  static_cast<void>(argmax(operand<2>(), 1));
}

void use_tape() {
  auto x = operand<2>();
  fill(Cuda{}, x.mut(), 1.0f);
  accumulate(Cuda{}, x.view(), Into<float, 2>{x.mutable_data(), x.shape(), true});
  static_cast<void>(first_non_finite(Cuda{}, x.view()));
  join_dual(Cuda{}, View<const float, 1>{}, View<const float, 1>{}, View<Dual<float>, 1>{});
  split_dual(Cuda{}, View<const Dual<float>, 1>{}, View<float, 1>{}, View<float, 1>{});
}
