/// \file
/// Averages of predictions over flipped images. Wang et al., "Aleatoric uncertainty estimation with
/// test-time augmentation for medical image segmentation with convolutional neural networks",
/// Neurocomputing 338 (2019).
#pragma once

#include <ebb/uncertainty/prediction.hpp>

namespace ebb::inline EBB_ABI::uncertainty {

/// Only flips that leave the answer what it was are of use: a mirrored chest has its heart on the
/// other side.
struct TestTimeOptions {
  bool horizontal = true;  ///< left and right exchanged
  bool vertical = false;   ///< top and bottom exchanged; with both, turned by 180 degrees, too
};

namespace detail {

template <class T, class Device>
Tensor<T, 4, Device> flipped(const Tensor<T, 4, Device>& x, bool horizontal, bool vertical) {
  if (!horizontal && !vertical) return x;
  const auto from = to<Cpu>(x);
  Tensor<T, 4> y(x.shape());
  const Index height = x.extent(2), width = x.extent(3);
  for (Index line = 0; line < x.extent(0) * x.extent(1) * height; ++line) {
    const Index row = line % height, mirrored = vertical ? height - 1 - row : row;
    const T* const source = from.data() + (line - row + mirrored) * width;
    T* const target = y.mutable_data() + line * width;
    for (Index j = 0; j < width; ++j) target[j] = source[horizontal ? width - 1 - j : j];
  }
  return to<Device>(y);
}

}  // namespace detail

/// The mean over the image as it is and flipped, by a copy of the network that evaluates: images
/// (n, c, h, w) to logits (n, classes), or (n, classes, h, w), which are flipped back. The flips'
/// `disagreement` tells where the network is not as symmetric as the task.
template <class Net, class T, class Device>
auto test_time(const Net& net, const Tensor<T, 4, Device>& x, const TestTimeOptions& options = {}) {
  Net copy = net;
  nn::eval(copy);
  using Logits = decltype(copy(x));
  static_assert(Logits::rank == 2 || Logits::rank == 4,
                "ebb::uncertainty: test_time takes a network that yields (n, classes), or (n, "
                "classes, h, w)");
  detail::AverageOf<Logits> average;
  for (const bool vertical : {false, true})
    for (const bool horizontal : {false, true}) {
      if ((vertical && !options.vertical) || (horizontal && !options.horizontal)) continue;
      const auto logits = copy(detail::flipped(x, horizontal, vertical));
      if constexpr (Logits::rank == 4)
        average.add(detail::flipped(logits, horizontal, vertical));
      else
        average.add(logits);
    }
  return average.result();
}

}  // namespace ebb::uncertainty
