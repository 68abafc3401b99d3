// Elements moved: concat, slice, pad, permute; dropout; initial values.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

void use_slabs() {
  use([](const auto& a, const auto& b) { return concat({a, b}, 1); }, operand<4>(), operand<4>());
  use([](const auto& x) { return slice(x, 1, 0, 4); }, operand<4>());
}

void use_pad() {
  use([](const auto& x) { return pad2d(x, 1, {.mode = PadMode::reflect}); }, operand<4>());
}

void use_permute() {
  use([](const auto& x) { return permute(x, {0, 2, 3, 1}); }, operand<4>());
}

void use_dropout() {
  use([](const auto& x) { return dropout(x, 0.5, RandomStream{}); }, operand<2>());
}

void use_init() {
  nn::init::normal(operand<2>());
  const Tensor<std::int64_t, 0, Cuda> counter(Shape<0>{});
  increment(Cuda{}, counter.mut());
}
