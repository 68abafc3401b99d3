// Image files of every kind that is read, as pictures.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <array>
#include <string>
#include <vector>

struct Picture {
  std::string name;                     // the file, and which of its slices
  ebb::Tensor<float, 3> image;          // (1 or 3, rows, columns), 0 to 1
  std::array<double, 2> spacing{1, 1};  // of rows and columns
  std::string unit = "pixels";          // of the spacing
};

// PNG, JPEG and BMP: one picture. DICOM (named .dcm, or with its mark): frames through the file's
// window. NIfTI (.nii, .nii.gz, .hdr): slices along its third axis, from the least to the largest
// value of the volume; of the fourth axis, the first. Of several slices the middle one, or all.
// Throws ebb::FileError.
std::vector<Picture> read_input(const std::string& path, bool all_slices);
