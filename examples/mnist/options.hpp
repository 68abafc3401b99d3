// What the command line of mnist says.
#pragma once

#include "../common/paths.hpp"
#include "../common/training_options.hpp"

#include <optional>
#include <string>

struct Options : TrainingOptions {
  std::string data;  // folder with the four idx files; empty: find some
  std::optional<double> momentum;
  std::string report;  // folder
  bool eval_only = false;
};

// Reads the command line. When the program is to end here (help, nonsense), says why and returns
// its exit code instead.
struct Command {
  Options options;
  std::optional<int> exit_code;
};
Command parse_command_line(int argc, char** argv);

// What the options say is read and written.
Paths paths_of(const Options& options);
