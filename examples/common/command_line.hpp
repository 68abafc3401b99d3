// What the command lines of the training programs have in common.
#pragma once

#include "training_options.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <vector>

// A number in a range, or a sentence: strtod and its kin accept too much (" 1", "1e999", "-1" as an
// unsigned number). `expected` goes on with "is not ...".
template <class T>
CLI::Validator number(T least, T most, const char* expected) {
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        T value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc{} && end == text.data() + text.size() && value >= least &&
            value <= most)
          return {};
        return "'" + text + "' is not " + expected;
      },
      "");
}

// Adds an option that may be given again: the last one counts.
template <class Value>
CLI::Option* option(CLI::App& app, const char* name, Value& value, const std::string& what,
                    const char* type) {
  return app.add_option(name, value, what)->take_last()->type_name(type);
}

// The same for a number that has no default.
CLI::Option* optional_number(CLI::App& app, const char* name, std::optional<double>& value,
                             const std::string& what, const char* expected);

// One of several words; nonsense is answered by the nearest. `what` is what they are: "method".
CLI::Validator one_of(std::vector<std::string> words, std::string what);

// The word that was most probably meant; empty where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& words);

// Adds --threads, which every program that computes takes; `threads` is its default.
void add_threads(CLI::App& app, int& threads);

// Adds --epochs, --batch-size, --optimizer, --lr, --seed, --threads, --device, --save, --load,
// --resume, --csv and --licence, and --precision where there is a GPU to use; defaults are the
// values in `options`.
void add_training_options(CLI::App& app, TrainingOptions& options, Gpu gpu = Gpu::unknown);

// Parses a command line, which may have --quiet, --version and --help, too. When the program is to
// end here (help, nonsense), says why and returns its exit code.
std::optional<int> parse(CLI::App& app, int argc, char** argv, const char* program);

// The same, and notes which options were given.
std::optional<int> parse(CLI::App& app, int argc, char** argv, const char* program,
                         TrainingOptions& options);
