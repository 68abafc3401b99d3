// Saved models that say what they are: what mnist, medmnist and segment write, and they, explain
// and predict use. Every program goes by what the file says, and says where an option differs.
#pragma once

#include <ebb/data/augment/fit.hpp>
#include <ebb/data/read/image_file.hpp>
#include <ebb/io/state.hpp>

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

// What the metadata of a file of weights, safetensors or PyTorch's, says of the model in it.
struct ModelFile {
  std::string path;
  std::string model;  // of a classifier (../models), or "unet" (a segmenter)
  ebb::Index channels = 1;
  std::vector<float> mean, deviation;            // of each channel, for pixels from 0 to 1
  std::optional<std::array<double, 2>> spacing;  // of rows and columns of the images, mm
  std::optional<ebb::data::ValueRange> range;    // of 16 bits: what was black and white
  std::string data;                              // fingerprint of the images it learnt from
  std::string licence;                           // of these images

  // Of a classifier.
  std::vector<std::string> classes;
  ebb::Index height = 0, width = 0;
  ebb::data::Fit fit = ebb::data::Fit::stretch;  // how an image of another size takes this one
  std::optional<double> temperature;
  std::optional<double> conformal_threshold;  // infinite: sets hold every class
  double conformal_coverage = 0.9;
  std::string positive;

  // Of a segmenter.
  ebb::Index base = 16;
  int depth = 3;
  bool batch_norm = true;
  int foreground = 255;    // the value in the masks that the second class stands for
  double threshold = 0.5;  // of the probability of the foreground

  bool segments() const { return model == "unet"; }
};

// Throws ebb::FileError when the file cannot be read, or does not say what is needed.
ModelFile open_model(const std::string& path);

// What a file of weights to go on with says of itself; nothing where no file is named. Of weights
// that say nothing (of another library, say) a warning tells what is assumed.
std::optional<ModelFile> model_to_load(const std::string& path);

// What `open_model` reads.
ebb::io::Metadata to_metadata(const ModelFile& model);

// Throws ebb::ValueError when a model to go on with is not one of `models`, or takes images of
// other channels.
void require_model(const ModelFile& model, const std::vector<std::string>& models,
                   ebb::Index channels);

// A line about a model: what it is, the data it learnt from, the licence of these.
std::string about(const ModelFile& model);

// A value of an image as networks take it.
float normalised(const ModelFile& model, ebb::Index channel, std::uint8_t value);

// An image as a model wants it.
struct PreparedImage {
  ebb::data::ByteImage bytes;   // in its number of channels, and for a classifier in its size
  ebb::Tensor<float, 4> shown;  // for a classifier, (1, channels, height, width): 0 to 1
  ebb::Tensor<float, 4> input;  // the same normalised
  std::string changed;          // what had to be done to it, as words; empty: nothing
};

// From (1 or 3, height, width). Grey becomes colour and colour grey where the model asks for it; a
// classifier's image takes the size of its training images. A segmenter's stays bytes, since it may
// be large.
PreparedImage prepare(const ModelFile& model, const ebb::data::ByteImage& image);
