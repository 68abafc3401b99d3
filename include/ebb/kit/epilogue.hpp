/// \file
/// What a convolution or a product does to its result while it stores it.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/kit/activation.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// result = activation(sum + bias + add), on every device and by every way to compute the sum.
/// Constant and small, so that kernels take it by value.
template <class T>
struct Epilogue {
  const T* bias = nullptr;  ///< one for each channel, or null
  const T* add = nullptr;   ///< laid out as the result, which it may be itself; or null
  Activation activation = {};

  /// Where there is a bias for the channel, it.
  template <class I>
  EBB_HD T shift(I channel) const {
    return bias != nullptr ? bias[channel] : T(0);
  }
  /// A sum with its bias, as element `at` of the result.
  template <class I>
  EBB_HD T finish(T sum, I at) const {
    if (add != nullptr) sum += add[at];
    return activation.value(sum);
  }
  /// The same for part of a result, from this channel and this element on.
  template <class I>
  EBB_HD Epilogue from(I channel, Index element) const {
    Epilogue part = *this;
    if (bias != nullptr) part.bias += channel;
    if (add != nullptr) part.add += element;
    return part;
  }
};

}  // namespace ebb::kernel
