/// \file
/// The masks of tests/oracle/metrics.py.
#pragma once

#include <ebb/tensor/tensor.hpp>

namespace ebb::test {

template <int N>
struct Masks {
  Tensor<int, N> predicted, truth;
  explicit Masks(const Shape<N>& shape) : predicted(shape), truth(shape) {
    const auto inside = [&](Index i, Index shift, Index radius) {
      Index sum = 0;
      for (int axis = 0; axis < N; ++axis) {
        const Index at = i / shape.stride(axis) % shape[axis];
        const Index d = 2 * (at - shape[axis] / 2 + shift);
        sum += d * d * (1 + axis);
      }
      return sum <= radius * radius;
    };
    for (Index i = 0; i < shape.size(); ++i) {
      truth.mutable_data()[i] = inside(i, 0, 15) && !inside(i, 0, 4) ? 7 : 0;
      predicted.mutable_data()[i] = inside(i, 1, 16) ? 7 : 3;
    }
    Index speck = 0;
    for (int axis = 0; axis < N; ++axis) speck += shape.stride(axis);
    predicted.mutable_data()[speck] = 7;
  }
};

}  // namespace ebb::test
