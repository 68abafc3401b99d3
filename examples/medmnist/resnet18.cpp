#include "training.hpp"

#include <ebb/models/resnet.hpp>

int train_resnet18(const Options& options, const ebb::data::MedMnist& set) {
  using Net = ebb::models::ResNet18<>;
  return train_and_test<Net>(options, set, "layer4", [&] {
    return Net(
        {.channels = set.train.channels(), .classes = set.class_count(), .small_images = true});
  });
}
