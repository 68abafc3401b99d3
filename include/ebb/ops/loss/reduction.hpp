/// \file
/// What a loss does with the terms of its elements.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <limits>

namespace ebb::inline EBB_ABI {

/// `mean` divides the sum of the terms by their number (or by the sum of their weights, where a
/// loss says so); `sum` does not.
enum class Reduction { mean, sum };

namespace detail {

/// The loss of an empty batch, as in PyTorch: the sum of no terms is 0, their mean not a number.
template <class T, class Device>
Tensor<T, 0, Device> loss_of_nothing(Reduction reduction) {
  return Tensor<T, 0, Device>(
      reduction == Reduction::sum ? T(0) : T(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace detail

}  // namespace ebb
