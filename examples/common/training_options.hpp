#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

// What a program can do with a GPU: nothing, nothing in this build, or train on one.
enum class Gpu { unknown, not_built, used };

// The options that every training program takes.
struct TrainingOptions {
  int epochs = 1;
  int batch_size = 64;
  std::string optimizer;
  std::optional<double> lr;  // empty: what suits the optimizer
  std::uint64_t seed = 1;
  int threads = 0;  // 0: all there are
  std::string device = "cpu";
  std::string precision = "fp32";  // of products and convolutions on a GPU
  std::string save, load, resume, csv;
  std::string licence;          // of the data, for the file of weights; empty: not stated
  std::set<std::string> given;  // options that the command line had: "--classes"
  std::string command;          // the command line, for who wants to do it again

  bool has(const char* option) const { return given.contains(option); }
};
