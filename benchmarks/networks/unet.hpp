/// \file
/// The library's U-Net without batch norm: three steps down, 16 channels at the top, two classes.
#pragma once

#include <ebb/ebb.hpp>
#include <ebb/models/unet.hpp>

namespace bench {

struct UNet : ebb::models::UNet<> {
  UNet()
      : ebb::models::UNet<>(
            {.channels = 1, .classes = 2, .base = 16, .depth = 3, .batch_norm = false}) {}
};

}  // namespace bench
