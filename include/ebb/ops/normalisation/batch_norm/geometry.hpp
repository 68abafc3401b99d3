/// \file
/// Sizes of batch normalisation.
#pragma once

#include <ebb/core/shape.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// (batch, channels, spatial...) seen as `batch` times `channels` planes of `spatial` elements.
struct BatchNormGeometry {
  Index batch = 0, channels = 0, spatial = 1;

  EBB_HD constexpr Index planes() const { return batch * channels; }
  /// Values of one channel.
  EBB_HD constexpr Index count() const { return batch * spatial; }
  EBB_HD constexpr Index size() const { return planes() * spatial; }
  /// Two numbers a plane, for kernels that sum planes first. Single values are summed by columns.
  EBB_HD constexpr Shape<2> scratch() const { return {2, spatial > 1 ? planes() : 0}; }

  template <int N>
  static constexpr BatchNormGeometry of(const Shape<N>& x) {
    return {x[0], x[1], x.stride(1)};
  }
};

}  // namespace ebb::kernel
