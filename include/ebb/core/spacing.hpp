/// \file
/// How far the elements of an image lie apart.
#pragma once

#include <ebb/core/error.hpp>

#include <array>

namespace ebb::inline EBB_ABI {

/// The distance of neighbouring elements along each axis, in millimetres say: (row, column) for an
/// image, (slice, row, column) for a volume.
template <int N>
using Spacing = std::array<double, static_cast<std::size_t>(N)>;

template <int N>
constexpr Spacing<N> unit_spacing() {
  Spacing<N> spacing{};
  for (double& s : spacing) s = 1;
  return spacing;
}

/// \throws ValueError unless every distance is a positive number.
template <std::size_t N>
void check_spacing(const char* who, const std::array<double, N>& spacing) {
  for (std::size_t axis = 0; axis < N; ++axis)
    if (!(spacing[axis] > 1e-100 && spacing[axis] < 1e100))
      throw ValueError(message(who, ": the spacing along axis ", axis, " is ", spacing[axis],
                               "; it is the distance of neighbouring elements, a positive number"));
}

}  // namespace ebb
