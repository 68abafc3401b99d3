// What a network that segments makes of an image.
#pragma once

#include <ebb/models/unet.hpp>

// The mask (h, w) that a network gives for an image (1, channels, h, w) of any size: 1 where the
// probability of the foreground, the second class, is `threshold` at least. Large images are cut
// into tiles.
ebb::Tensor<int, 2> predict_mask(const ebb::models::UNet<>& net, const ebb::Tensor<float, 4>& image,
                                 double threshold = 0.5);
