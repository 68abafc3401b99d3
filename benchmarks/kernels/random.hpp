/// \file
/// Operands of the kernels that are measured.
#pragma once

#include <ebb/ebb.hpp>

namespace bench {

/// Numbers in [-1, 1).
template <int N>
ebb::Tensor<float, N> random(const ebb::Shape<N>& shape) {
  const ebb::Tensor<float, N> x(shape);
  ebb::nn::init::uniform(x, -1, 1);
  return x;
}

}  // namespace bench
