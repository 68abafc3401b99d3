/// \file
/// The library's ResNet-18 with the stem for small images, a 3x3 convolution of stride 1 and no
/// pooling.
#pragma once

#include <ebb/ebb.hpp>
#include <ebb/models/resnet.hpp>

namespace bench {

struct ResNet18 : ebb::models::ResNet18<> {
  ResNet18() : ebb::models::ResNet18<>({.channels = 1, .classes = 10, .small_images = true}) {}
};

}  // namespace bench
