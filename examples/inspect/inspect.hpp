// What the parts of inspect share.
#pragma once

#include <ebb/data/npy.hpp>

#include <functional>
#include <string>
#include <vector>

struct Request {
  bool all = false;  // list UIDs and private elements one by one
};

// Each prints what a file holds; they throw ebb::Error when it cannot be read.
void inspect(const std::string& path, const Request& request);  // any of the following
void inspect_dicom(const std::string& path, const Request& request);
void inspect_dicom_folder(const std::string& path, const Request& request);
void inspect_nifti(const std::string& path);
void inspect_image(const std::string& path);
void inspect_npy(const std::string& path);
void inspect_npz(const std::string& path);
void inspect_safetensors(const std::string& path);

// "  name           value", without what upsets a terminal.
void fact(const std::string& name, const std::string& value);
// Without control characters.
std::string printable(std::string text);
std::string shape_text(const std::vector<ebb::Index>& shape);  // "3 x 28 x 28"
// "value = 2 * stored - 1024".
std::string scaling_text(double slope, double intercept);
// "0 to 255", of `count` values, and how many are no numbers.
std::string range(ebb::Index count, const std::function<double(ebb::Index)>& value);
std::string range(const ebb::data::Array& array);
