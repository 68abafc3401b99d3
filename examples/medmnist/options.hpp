// What the command line of medmnist says.
#pragma once

#include "../common/model_file.hpp"
#include "../common/paths.hpp"
#include "../common/training_options.hpp"
#include "../common/value_range.hpp"

#include <ebb/data/sets/medmnist.hpp>

#include <optional>
#include <string>
#include <vector>

struct Options : TrainingOptions {
  std::string data;  // MedMNIST's .npz file
  std::string model = "cnn";
  std::string positive;  // the class that counts as positive; empty: none is named
  std::vector<std::string> classes;
  bool augment = true;
  std::string report;
  ebb::Size2 size{};  // of the images; 0x0: as they are, or what most of them have
  Range range;        // of 16 bits, in a folder: what is black and white
  double val_fraction = 0.2, test_fraction = 0.2;  // of a folder without splits
  std::optional<ModelFile> loaded;                 // what the file of --load says of itself
};

// Returns the exit code when the program is to end here.
std::optional<int> parse_command_line(int argc, char** argv, Options& options);

// What the options say is read and written.
Paths paths_of(const Options& options);

// Looks at the file of --load: what it says of itself becomes the default of the options that the
// command line did not give. Says what disagrees; throws ebb::ValueError where it cannot be.
void take_from_file(Options& options);

// The images of --data, a file or a folder, as the options say. A --range that had to be assumed is
// noted in them.
// Throws ebb::Error when they cannot be read, or cannot be trained on and tested with: a split
// without images or with one class, images of other sizes, labels of no class, and when --positive
// names no class.
ebb::data::MedMnist read_images(Options& options);

// The same of a folder: DIR/train/CLASS/..., DIR/val/CLASS/..., DIR/test/CLASS/..., or
// DIR/CLASS/..., of which the last images by name are for validation and test.
ebb::data::MedMnist read_folder(Options& options);

// How images take another size: as those of the file of --load did; else files in folders keep
// their shape, and those of a MedMNIST file, which are square, are stretched.
ebb::data::Fit fit_of(const Options& options);

// The class of --positive, where one is named.
std::optional<int> positive_class(const Options& options, const std::vector<std::string>& classes);
