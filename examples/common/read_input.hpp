// Image files of every kind that is read, as pictures.
#pragma once

#include "value_range.hpp"

#include <array>
#include <string>
#include <vector>

struct Picture {
  std::string name;                     // the file, and which of its slices
  ebb::data::ByteImage image;           // (1 or 3, rows, columns)
  std::array<double, 2> spacing{1, 1};  // of rows and columns
  std::string unit = "pixels";          // of the spacing
};

// PNG, JPEG and BMP: one picture. DICOM (named .dcm, or with its mark): frames through the file's
// window. NIfTI (.nii, .nii.gz, .hdr): slices along its third axis, from the least to the largest
// value of the volume; of the fourth axis, the first. Of several slices the middle one, or all.
// Of a PNG with 16 bits, `range` has the values that are black and white; without one it is all
// that 16 bits have, and a line on standard error says so. Throws ebb::FileError.
std::vector<Picture> read_input(const std::string& path, bool all_slices, Range range);
