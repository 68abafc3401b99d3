/// \file
/// Reproducible random tensors for tests.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/tensor/tensor.hpp>

namespace ebb::test {

/// Uniform values in [low, high), a function of the seed alone.
template <class T, int N>
Tensor<T, N> random(const Shape<N>& shape, std::uint64_t seed = 1, double low = -1,
                    double high = 1) {
  Tensor<T, N> x(shape);
  const RandomStream stream{seed, 7};
  for (Index i = 0; i < x.size(); ++i)
    x.mutable_data()[i] =
        static_cast<T>(low + (high - low) * stream.uniform<double>(static_cast<std::uint64_t>(i)));
  return x;
}

}  // namespace ebb::test
