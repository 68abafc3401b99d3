/// \file
/// From images or sequences to one row per sample.
#pragma once

#include <ebb/ops/shape/reshape.hpp>

namespace ebb::inline EBB_ABI {

/// x (n, ...) -> (n, everything else): keeps the batch axis, in the same memory. A layer, as
/// PyTorch's nn.Flatten.
struct Flatten {
  static constexpr const char* name = "flatten";

  template <Operand X>
  auto operator()(const X& x) const {
    static_assert(rank_of<X> >= 2,
                  "ebb::flatten: keeps axis 0 and joins the others, so it needs at least two axes; "
                  "use ebb::reshape(x, ebb::Shape{...})");
    const auto from = x.shape();
    const Shape<2> to{from[0], from.stride(0)};
    return track(
        "flatten", value(x).reshape(to),
        [from, dx = sink(x)](const auto& dy) {
          if (dx) dx.give(dy.reshape(from));
        },
        x);
  }
};
inline constexpr Flatten flatten;

}  // namespace ebb
