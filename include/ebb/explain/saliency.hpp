/// \file
/// Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks: visualising image
/// classification models and saliency maps", arXiv:1312.6034 (2013).
#pragma once

#include <ebb/explain/scores.hpp>

namespace ebb::inline EBB_ABI::explain {

/// The gradient of each image's target score with respect to the image, (n, c, h, w).
template <class Net, class T, class Device>
Tensor<T, 4, Device> input_gradient(const Net& net, const Tensor<T, 4, Device>& x,
                                    const Tensor<int, 1>& targets) {
  return detail::gradient("input_gradient", standing(net), x, targets);
}

/// Its magnitude, the greatest over channels, (n, h, w).
template <class Net, class T, class Device>
Tensor<T, 3> saliency(const Net& net, const Tensor<T, 4, Device>& x,
                      const Tensor<int, 1>& targets) {
  return heat_map(detail::gradient("saliency", standing(net), x, targets));
}

}  // namespace ebb::explain
