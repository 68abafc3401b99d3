#pragma once

#include <cstdint>
#include <optional>
#include <string>

// The options that every training program takes.
struct TrainingOptions {
  int epochs = 1;
  int batch_size = 64;
  std::string optimizer;
  std::optional<double> lr;  // empty: what suits the optimizer
  std::uint64_t seed = 1;
  int threads = 0;  // 0: all there are
  std::string device = "cpu";
  std::string save, load, resume, csv;
};
