// What a network that segments makes of an image.
#pragma once

#include "model_file.hpp"

#include <ebb/models/unet.hpp>

// The mask (h, w) that a network gives for an image (1, channels, h, w) of any size: 1 where the
// probability of the foreground, the second class, is `threshold` at least. Large images are cut
// into tiles.
ebb::Tensor<int, 2> predict_mask(const ebb::models::UNet<>& net, const ebb::Tensor<float, 4>& image,
                                 double threshold = 0.5);

// The same for bytes (channels, h, w), which are normalised a tile at a time as the file says, so
// that a large image takes a byte a value: 1 and 0 as bytes, at the file's threshold.
ebb::Tensor<std::uint8_t, 2> predict_mask(const ebb::models::UNet<>& net, const ModelFile& file,
                                          const ebb::data::ByteImage& image);
