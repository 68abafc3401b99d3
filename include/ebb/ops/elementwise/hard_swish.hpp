/// \file
/// The sigmoid linear unit in straight lines.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = x min(max(x + 3, 0), 6) / 6; dx = (x / 3 + 1/2) dy within (-3, 3), 0 below, dy above.
/// Howard et al., "Searching for MobileNetV3", ICCV 2019.
struct HardSwish : Elementwise<HardSwish>, formula::HardSwish {
  static constexpr const char* name = "hard_swish";
  static constexpr Index cost = 2;
  /// As an option of another operation: `.activation = hard_swish`.
  constexpr operator Activation() const { return Activation::hard_swish; }
};
inline constexpr HardSwish hard_swish;

EBB_COMPILED_ELEMENTWISE(HardSwish)

}  // namespace ebb
