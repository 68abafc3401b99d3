/// \file
/// A height and a width.
#pragma once

#include <ebb/core/config.hpp>

#include <concepts>
#include <string>

namespace ebb::inline EBB_ABI {

/// Height and width of a window, a stride, a padding or an image: `3` means 3 by 3, `{3, 5}` is 3
/// high and 5 wide.
struct Size2 {
  Index height = 0, width = 0;

  constexpr Size2() = default;
  template <std::integral I>
  EBB_HD constexpr Size2(I both)
      : height(static_cast<Index>(both)), width(static_cast<Index>(both)) {}
  EBB_HD constexpr Size2(Index h, Index w) : height(h), width(w) {}

  EBB_HD constexpr Index area() const { return height * width; }

  friend EBB_HD constexpr bool operator==(Size2 a, Size2 b) {
    return a.height == b.height && a.width == b.width;
  }
};

/// "3x5".
inline std::string to_string(Size2 size) {
  return std::to_string(size.height) + "x" + std::to_string(size.width);
}

}  // namespace ebb
