#include "masks.hpp"

#include <ebb/models/tiled.hpp>

#include <cmath>

using ebb::Index;

ebb::Tensor<int, 2> predict_mask(const ebb::models::UNet<>& net, const ebb::Tensor<float, 4>& image,
                                 double threshold) {
  const Index unit = Index{1} << net.down.size(), height = image.extent(2), width = image.extent(3);
  const auto rounded = [unit](Index n) { return (n + unit - 1) / unit * unit; };
  // An image of up to a million pixels is one tile, mirrored outwards to what can be halved.
  ebb::models::TileOptions tiles{.tile = {rounded(height), rounded(width)}, .margin = 0};
  if (height * width > Index{1} << 20) {
    tiles.margin = rounded(net.reach());
    tiles.tile = rounded(1024) + 2 * rounded(net.reach());
  }
  const auto logits = ebb::models::tiled(net, image, tiles);
  ebb::Tensor<int, 2> mask({height, width});
  for (Index i = 0; i < mask.size(); ++i) {
    const double score = double{logits.data()[mask.size() + i]} - double{logits.data()[i]};
    mask.mutable_data()[i] = 1 / (1 + std::exp(-score)) >= threshold;
  }
  return mask;
}
