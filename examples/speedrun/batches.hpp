// Batches of cropped images.
#pragma once

#include "network.hpp"

#include <ebb/data/sets/dataset.hpp>

// Some images (count, 1, crop, crop), normalised, and their labels.
struct Batch {
  ebb::Tensor<float, 4> images;
  ebb::Tensor<int, 1> labels;

  explicit Batch(ebb::Index count)
      : images(ebb::Shape{count, ebb::Index{1}, crop, crop}), labels(ebb::Shape{count}) {}
};

// Fills a batch with the images at these positions. With `random`, each is cut out up to a pixel
// beside the middle: the only augmentation, and it costs nothing, because pixels have to be copied
// anyway. `first` is the number of the batch's first image in its epoch: what it draws is a pure
// function of it, whatever thread fills it in.
void fill(Batch& batch, const ebb::data::Dataset<>& from, const ebb::Index* positions,
          const ebb::RandomStream* random, ebb::Index first);
