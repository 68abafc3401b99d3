// Losses on overlap, and focal ones.
#include "tests/cuda/kernels/use.hpp"

using namespace ebb;
using namespace ebb::test;

template <class Loss>
void use_region(const Loss& loss) {
  const auto labels = operand<2, int>();
  const auto mask = operand<3>();
  use([&](const auto& x) { return loss(x, labels); }, operand<3>());
  use([&](const auto& x) { return loss(x, mask); }, operand<3>());
}

void use_region_losses() {
  use_region(dice_loss);  // Tversky's term, too
  use_region(generalised_dice_loss);
}

void use_focal_losses() {
  const auto labels = operand<2, int>();
  use([&](const auto& x) { return focal_loss(x, labels); }, operand<3>());
  use([](const auto& x, const auto& t) { return binary_focal_loss(x, t); }, operand<2>(),
      operand<2>());
}
