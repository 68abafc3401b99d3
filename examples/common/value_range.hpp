// What is black and what is white in images with 16 bits a value. A scanner's 12 bits in 16 are
// nearly black where nothing says so.
#pragma once

#include "model_file.hpp"

#include <span>

namespace CLI {
class App;
}

using Range = std::optional<ebb::data::ValueRange>;

// Adds --range.
void add_range(CLI::App& app, Range& range);

// Where --range gave none, it is that of the model's file. Says so when the two disagree.
void take_range(Range& range, const ModelFile& file);

// Where nothing gave a range and some of the files have 16 bits a value, these were taken from 0 to
// 65535: notes that, and says which values they have. `name` is what the files are called.
// Throws ebb::FileError when one of them is no image.
void assume_range(Range& range, const std::string& name, std::span<const std::string> paths);
