// What the command line of medmnist says.
#pragma once

#include "../common/training_options.hpp"

#include <ebb/data/medmnist.hpp>

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
};

// Returns the exit code when the program is to end here.
std::optional<int> parse_command_line(int argc, char** argv, Options& options);

// The file of --data, under the names of --classes.
// Throws ebb::Error when it cannot be read, or --positive names no class.
ebb::data::MedMnist read_images(const Options& options);

// The class of --positive, where one is named.
std::optional<int> positive_class(const Options& options, const std::vector<std::string>& classes);
