/// \file
/// Sizes of layer normalisation.
#pragma once

#include <ebb/core/shape.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// (rows, length): the trailing axes that are normalised together are `length` elements.
struct LayerNormGeometry {
  Index rows = 0, length = 0;

  EBB_HD constexpr Index size() const { return rows * length; }

  /// \throws ShapeError when the trailing axes of `x` are not `normalized`, or nothing is there.
  template <int N, int M>
  static LayerNormGeometry of(const std::string& layer, const Shape<N>& x,
                              const Shape<M>& normalized) {
    for (int k = 0; k < M; ++k)
      if (x[N - M + k] != normalized[k])
        throw ShapeError(message("layer_norm", layer, ": the input ", x,
                                 " does not end in the "
                                 "normalised shape ",
                                 normalized));
    if (normalized.size() == 0)
      throw ShapeError(message("layer_norm", layer, ": the normalised shape ", normalized,
                               " of the input ", x, " is empty"));
    return {x.size() / normalized.size(), normalized.size()};
  }
};

}  // namespace ebb::kernel
