#include "masks.hpp"

#include <ebb/models/tiled.hpp>

#include <cmath>

using ebb::Index;

namespace {

// An image of up to a million pixels is one tile, mirrored outwards to what can be halved.
ebb::models::TileOptions tiles_for(const ebb::models::UNet<>& net, ebb::Size2 size) {
  const Index unit = Index{1} << net.down.size();
  const auto rounded = [unit](Index n) { return (n + unit - 1) / unit * unit; };
  if (size.area() <= Index{1} << 20)
    return {.tile = {rounded(size.height), rounded(size.width)}, .margin = 0};
  const Index margin = rounded(net.reach());
  return {.tile = rounded(1024) + 2 * margin, .margin = margin};
}

// Whether two logits, of background and foreground, make a pixel one of the foreground.
bool is_foreground(float background, float foreground, double threshold) {
  const double score = double{foreground} - double{background};
  return 1 / (1 + std::exp(-score)) >= threshold;
}

}  // namespace

ebb::Tensor<int, 2> predict_mask(const ebb::models::UNet<>& net, const ebb::Tensor<float, 4>& image,
                                 double threshold) {
  const ebb::Size2 size{image.extent(2), image.extent(3)};
  const auto logits = ebb::models::tiled(net, image, tiles_for(net, size));
  ebb::Tensor<int, 2> mask({size.height, size.width});
  for (Index i = 0; i < mask.size(); ++i)
    mask.mutable_data()[i] =
        is_foreground(logits.data()[i], logits.data()[mask.size() + i], threshold);
  return mask;
}

ebb::Tensor<std::uint8_t, 2> predict_mask(const ebb::models::UNet<>& net, const ModelFile& file,
                                          const ebb::data::ByteImage& image) {
  using Bytes = ebb::Tensor<std::uint8_t, 4>;
  const ebb::Size2 size{image.extent(1), image.extent(2)};
  const auto mask_of = [&](const Bytes& tile) {
    const Index area = tile.extent(2) * tile.extent(3);
    ebb::Tensor<float, 4> input(tile.shape());
    for (Index i = 0; i < tile.size(); ++i)
      input.mutable_data()[i] = normalised(file, i / area, tile.data()[i]);
    const ebb::Tensor<float, 4> logits = net(input);
    Bytes mask({1, 1, tile.extent(2), tile.extent(3)});
    for (Index i = 0; i < area; ++i)
      mask.mutable_data()[i] =
          is_foreground(logits.data()[i], logits.data()[area + i], file.threshold);
    return mask;
  };
  const auto mask = ebb::models::tiled(
      mask_of, image.reshape(ebb::Shape<4>{1, image.extent(0), size.height, size.width}),
      tiles_for(net, size));
  return mask.reshape(ebb::Shape<2>{size.height, size.width});
}
