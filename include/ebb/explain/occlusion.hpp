/// \file
/// Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/explain/scores.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::explain {

struct OcclusionOptions {
  Size2 size = 8;    ///< of the patch
  Size2 stride = 4;  ///< from one place of it to the next
  double value = 0;  ///< what the patch is filled with
};

/// By how much the softmax probability of the target falls when a grey patch lies over a pixel, the
/// mean over all places of the patch that cover it, (n, h, w). The last row and column of places
/// end at the image's edge, so that every pixel is covered.
/// \throws ValueError when the patch does not fit, or would leave pixels out.
template <class Net, class T>
Tensor<T, 3> occlusion(const Net& net, const Tensor<T, 4>& x, const Tensor<int, 1>& targets,
                       OcclusionOptions options = {}) {
  const Index height = x.extent(2), width = x.extent(3), planes = x.extent(0) * x.extent(1);
  const Size2 size = options.size, stride = options.stride;
  if (size.height < 1 || size.width < 1 || size.height > height || size.width > width)
    throw ValueError(message("occlusion: a patch of ", size, " does not fit images of shape ",
                             x.shape(), "; use a smaller one"));
  if (stride.height < 1 || stride.width < 1 || stride.height > size.height ||
      stride.width > size.width)
    throw ValueError(message("occlusion: a stride of ", stride, " of a patch of ", size,
                             " was given; use 1 up to the patch's size, to cover every pixel"));
  const Net still = standing(net);
  const auto probabilities = [&](const Tensor<T, 4>& images) {
    const auto scores = still(images);
    detail::require_targets("occlusion", x.shape(), scores.shape(), targets);
    const auto p = softmax(scores, 1);
    std::vector<T> picked;
    for (Index i = 0; i < targets.size(); ++i) picked.push_back(p(i, targets.data()[i]));
    return picked;
  };
  const std::vector<T> whole = probabilities(x);
  Tensor<T, 3> fall = Tensor<T, 3>::zeros({x.extent(0), height, width});
  std::vector<T> covered(static_cast<std::size_t>(height * width));
  for (Index up = 0;; up += stride.height) {
    const Index top = std::min(up, height - size.height);
    for (Index across = 0;; across += stride.width) {
      const Index left = std::min(across, width - size.width);
      Tensor<T, 4> hidden = x.clone();
      for (Index plane = 0; plane < planes; ++plane)
        for (Index i = top; i < top + size.height; ++i)
          std::fill_n(hidden.mutable_data() + (plane * height + i) * width + left, size.width,
                      static_cast<T>(options.value));
      const std::vector<T> now = probabilities(hidden);
      for (Index i = top; i < top + size.height; ++i)
        for (Index j = left; j < left + size.width; ++j) {
          covered[static_cast<std::size_t>(i * width + j)] += 1;
          for (Index n = 0; n < x.extent(0); ++n)
            fall.mutable_data()[(n * height + i) * width + j] +=
                whole[static_cast<std::size_t>(n)] - now[static_cast<std::size_t>(n)];
        }
      if (left == width - size.width) break;
    }
    if (top == height - size.height) break;
  }
  for (Index i = 0; i < fall.size(); ++i)
    fall.mutable_data()[i] /= covered[static_cast<std::size_t>(i % (height * width))];
  return fall;
}

}  // namespace ebb::explain
