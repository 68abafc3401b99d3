// Saved models that say what they are: what medmnist and segment write, and explain and predict
// use.
#pragma once

#include <ebb/data/image_file.hpp>
#include <ebb/io/state.hpp>

#include <limits>
#include <optional>
#include <string>
#include <vector>

// What the metadata of a safetensors file says of the model in it.
struct ModelFile {
  std::string path;
  std::string model;  // "cnn", "resnet18" (classifiers), "unet" (a segmenter)
  ebb::Index channels = 1;
  std::vector<float> mean, deviation;  // of each channel, for pixels from 0 to 1

  // Of a classifier.
  std::vector<std::string> classes;
  ebb::Index height = 0, width = 0;
  double temperature = 1;
  std::optional<double> conformal_threshold;  // infinite: sets hold every class
  double conformal_coverage = 0.9;
  std::string positive;

  // Of a segmenter.
  ebb::Index base = 16;
  int depth = 3;
  bool batch_norm = true;
  double threshold = 0.5;  // of the probability of the foreground

  bool segments() const { return model == "unet"; }
};

// Throws ebb::FileError when the file cannot be read, or does not say what is needed.
ModelFile open_model(const std::string& path);

// An image as it is shown, and as a network takes it: both (1, channels, height, width).
struct PreparedImage {
  ebb::Tensor<float, 4> shown;  // 0 to 1
  ebb::Tensor<float, 4> input;  // normalised
  std::string changed;          // what had to be done to it, as words; empty: nothing
};

// From (1 or 3, height, width), 0 to 1. Grey becomes colour and colour grey where the model asks
// for it; a classifier's image takes the size of its training images, through 8 bits, as they were.
PreparedImage prepare(const ModelFile& file, const ebb::Tensor<float, 3>& image);
