// ResNet-18 for small images.
#pragma once

#include "classifier.hpp"

#include <ebb/models/resnet.hpp>

struct Resnet18Classifier {
  static constexpr const char* name = "resnet18";
  static constexpr const char* about = "He et al. 2016 with a 3x3 stem";
  static constexpr const char* last_image = "layer4";
  static constexpr FixedSize size{};

  static auto make(ebb::Index channels, ebb::Index classes) {
    return ebb::models::ResNet18<>(
        {.channels = channels, .classes = classes, .small_images = true});
  }
};
