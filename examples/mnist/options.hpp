// What the command line of mnist says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

struct Options {
  std::string data;  // folder with the four idx files; empty: find some
  int epochs = 3;
  int batch_size = 64;
  std::string optimizer = "sgd";
  std::optional<double> lr, momentum;  // empty: what suits the optimizer
  std::uint64_t seed = 1;
  int threads = 0;  // 0: all there are
  std::string save, load, resume, csv, plots;
  bool eval_only = false;
};

// Reads the command line. When the program is to end here (help, nonsense), says why and returns
// its exit code instead.
struct Command {
  Options options;
  std::optional<int> exit_code;
};
Command parse_command_line(int argc, char** argv);
