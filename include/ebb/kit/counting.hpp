/// \file
/// Counting pieces, and finding one's place among them.
#pragma once

#include <ebb/core/config.hpp>

#include <array>
#include <concepts>
#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {

/// How many pieces of b elements hold a elements.
EBB_HD constexpr Index divide_up(Index a, Index b) { return (a + b - 1) / b; }
/// The same in the type of a kernel's indices.
template <std::unsigned_integral I>
EBB_HD constexpr I divide_up(I a, std::type_identity_t<I> b) {
  return (a + b - 1) / b;
}
template <std::same_as<int> I, std::same_as<int> J>
EBB_HD constexpr int divide_up(I a, J b) {
  return (a + b - 1) / b;
}

/// The place of task `i` in a table whose last axis runs fastest, given all extents but the first:
/// `const auto [image, group, band] = unravel(task, groups, bands)`.
template <class... Extents>
constexpr std::array<Index, sizeof...(Extents) + 1> unravel(Index i, Extents... extents) {
  const Index extent[] = {extents...};
  std::array<Index, sizeof...(Extents) + 1> place{};
  for (std::size_t axis = sizeof...(Extents); axis > 0; --axis) {
    place[axis] = i % extent[axis - 1];
    i /= extent[axis - 1];
  }
  place[0] = i;
  return place;
}

}  // namespace ebb::kernel
