/// \file
/// What the networks are trained on.
#pragma once

#include <ebb/ebb.hpp>

namespace bench {

/// Images and labels that are pure functions of their positions, the same in PyTorch.
template <int N>
struct Work {
  ebb::Tensor<float, 4> images;
  ebb::Tensor<int, N> labels;

  Work(ebb::Index batch, ebb::Index size, const ebb::Shape<N>& label_shape, int classes)
      : images(ebb::Shape<4>{batch, 1, size, size}), labels(label_shape) {
    for (ebb::Index i = 0; i < images.size(); ++i)
      images.mutable_data()[i] = static_cast<float>(i * 7919 % 1009) / 1009.0f;
    for (ebb::Index i = 0; i < labels.size(); ++i)
      labels.mutable_data()[i] = static_cast<int>(i * 31 % classes);
  }
};

}  // namespace bench
