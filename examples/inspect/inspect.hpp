// What the parts of inspect share.
#pragma once

#include <ebb/data/read/npy.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct Request {
  bool all = false;  // list UIDs, and private elements without texts, one by one
};

// Each prints what a file holds; they throw ebb::Error when it cannot be read.
void inspect(const std::string& path, const Request& request);  // any of the following
void inspect_dicom(const std::string& path, const Request& request);
void inspect_dicom_folder(const std::string& path, const Request& request);
void inspect_nifti(const std::string& path);
void inspect_image(const std::string& path);
void inspect_npy(const std::string& path);
void inspect_npz(const std::string& path);
void inspect_weights(const std::string& path);

// No file makes this program take much more memory than itself and this (and nothing makes it take
// more than one thing of a file at a time: an array of an .npz, an image, a volume).
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;

// "  name           value", without what a terminal obeys.
void fact(const std::string& name, const std::string& value);
// A text of a file, whole up to a million bytes; what is left out is said.
void free_text(const std::string& name, std::string_view text);
// What bytes of an unknown kind hold of texts.
void unknown(const std::string& name, std::span<const unsigned char> bytes);
std::string shape_text(const std::vector<ebb::Index>& shape);  // "3 x 28 x 28"
// "value = 2 * stored - 1024".
std::string scaling_text(double slope, double intercept);
// "0 to 255", of `count` values, and how many are no numbers.
std::string range(ebb::Index count, const std::function<double(ebb::Index)>& value);
std::string range(const ebb::data::Array& array);
