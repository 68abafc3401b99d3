/// \file
/// Sizes of group normalisation.
#pragma once

#include <ebb/core/shape.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// (batch, channels, spatial...), the channels in `groups` groups: a group of one sample is
/// contiguous, `group_size()` elements.
struct GroupNormGeometry {
  Index batch = 0, channels = 0, spatial = 1, groups = 1;

  EBB_HD constexpr Index size() const { return batch * channels * spatial; }
  EBB_HD constexpr Index rows() const { return batch * groups; }
  EBB_HD constexpr Index group_channels() const { return channels / groups; }
  EBB_HD constexpr Index group_size() const { return group_channels() * spatial; }

  /// \throws ShapeError, ValueError when the groups do not divide the channels.
  template <int N>
  static GroupNormGeometry of(const std::string& layer, const Shape<N>& x, Index groups) {
    if (x.stride(0) == 0)
      throw ShapeError(
          message("group_norm", layer, ": the samples of the input ", x, " are empty"));
    if (groups < 1 || x[1] % groups != 0)
      throw ValueError(message("group_norm", layer, ": ", groups, " groups do not divide the ",
                               x[1], " channels (axis 1) of the input ", x));
    return {x[0], x[1], x.stride(1), groups};
  }
};

}  // namespace ebb::kernel
