// What the command line of segment says.
#pragma once

#include "../common/model_file.hpp"
#include "../common/paths.hpp"
#include "../common/training_options.hpp"
#include "../common/value_range.hpp"

#include <ebb/data/sets/masked_images.hpp>

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
  Range range;                      // of 16 bits: what is black and white
  std::optional<double> spacing;    // of pixels, mm
  std::optional<ModelFile> loaded;  // what the file of --load says of itself

  double threshold() const { return loaded ? loaded->threshold : 0.5; }
};

// Returns the exit code when the program is to end here.
std::optional<int> parse_command_line(int argc, char** argv, Options& options);

// What the options say is read and written.
Paths paths_of(const Options& options);

// Looks at the file of --load: what it says of itself becomes the default of the options that the
// command line did not give. Says what disagrees; throws ebb::ValueError where it cannot be.
void take_from_file(Options& options);

struct Split {
  ebb::data::MaskedImages training, validation;
};

// The images of --images and --masks: the first ones for training, the last ones, --val-fraction of
// them, for validation. Throws ebb::Error when they cannot be read, are too few for two parts,
// or a part has no foreground. A --range that had to be assumed is noted in the options.
Split read_images(Options& options);
