// What the command line of segment says.
#pragma once

#include "../common/training_options.hpp"

#include <ebb/data/masked_images.hpp>

#include <optional>
#include <string>

struct Options : TrainingOptions {
  std::string images, masks;      // folders
  double val_fraction = 0.2;      // of the images, the last ones
  std::optional<int> foreground;  // value in the masks
  int base = 16, depth = 3;       // of the U-Net
  int patch = 256;                // pixels a side of what is shown in training
  bool augment = true;
  std::string report;
};

// Returns the exit code when the program is to end here.
std::optional<int> parse_command_line(int argc, char** argv, Options& options);

struct Split {
  ebb::data::MaskedImages training, validation;
};

// The images of --images and --masks: the first ones for training, the last ones, --val-fraction of
// them, for validation. Throws ebb::Error when they cannot be read, or are too few for two parts.
Split read_images(const Options& options);
