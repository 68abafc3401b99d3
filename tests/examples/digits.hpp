/// \file
/// Images for the example programs.
#pragma once

#include <ebb/data/drawn/stroke_digits.hpp>

#include <string>

#include "tests/train/files.hpp"

namespace ebb::test {

/// Writes a dataset of drawn digits as the four idx files.
inline void write_idx(const TemporaryFolder& folder, Index training, Index testing) {
  const auto write = [&](const std::string& name, const data::Dataset<>& digits) {
    const auto big_endian = [](Index number) {
      std::string bytes;
      for (int shift = 24; shift >= 0; shift -= 8)
        bytes += static_cast<char>(number >> shift & 255);
      return bytes;
    };
    std::string images = std::string("\0\0\x08\x03", 4) + big_endian(digits.size()) +
                         big_endian(28) + big_endian(28);
    std::string labels = std::string("\0\0\x08\x01", 4) + big_endian(digits.size());
    images.append(reinterpret_cast<const char*>(digits.images().data()),
                  static_cast<std::size_t>(digits.images().size()));
    for (Index i = 0; i < digits.size(); ++i) labels += static_cast<char>(digits.label(i));
    write_file(folder / (name + "-images-idx3-ubyte"), images);
    write_file(folder / (name + "-labels-idx1-ubyte"), labels);
  };
  write("train", data::stroke_digits(training));
  write("t10k", data::stroke_digits(testing, {.first = 100'000}));
}

}  // namespace ebb::test
