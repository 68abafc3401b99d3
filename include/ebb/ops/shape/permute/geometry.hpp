/// \file
/// How a permutation of axes walks through memory.
#pragma once

#include <ebb/core/shape.hpp>

#include <array>

namespace ebb::inline EBB_ABI::kernel {

/// Axis k of the result is axis `axes[k]` of the operand.
template <int N>
using AxisOrder = std::array<int, static_cast<std::size_t>(N)>;

/// "(0, 2, 1)".
template <int N>
std::string axes_to_string(const AxisOrder<N>& axes) {
  Shape<N> shown{};
  for (int k = 0; k < N; ++k) shown[k] = axes[static_cast<std::size_t>(k)];
  return to_string(shown);
}

/// Extents of the result, and how far apart its neighbours along each axis lie in the operand.
template <int N>
struct PermuteGeometry {
  Shape<N> shape{};
  Index stride[detail::array_size(N)]{};

  /// \throws ShapeError when `axes` does not name every axis once.
  static PermuteGeometry of(const Shape<N>& x, const AxisOrder<N>& axes) {
    PermuteGeometry g;
    bool taken[detail::array_size(N)]{};
    for (int k = 0; k < N; ++k) {
      const int axis = normalize_axis("permute", axes[static_cast<std::size_t>(k)], N);
      if (taken[axis])
        throw ShapeError(message("permute: the axes ", axes_to_string<N>(axes), " name axis ", axis,
                                 " twice; each of the ", N, " axes must appear once"));
      taken[axis] = true;
      g.shape[k] = x[axis];
      g.stride[k] = x.stride(axis);
    }
    return g;
  }
};

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI {
using kernel::AxisOrder;
}  // namespace ebb
