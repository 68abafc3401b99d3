// Where a result comes from: what a report says besides the settings.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

// Size and CRC-32 of files, one after the other, so that a reader can tell whether theirs are the
// same.
std::string fingerprint(const std::vector<std::string>& paths);

// Eight hex digits that tell one set of images and labels from another: the CRC-32 of their values,
// whatever files they came in.
class Fingerprint {
 public:
  void add(const void* bytes, std::size_t count);
  template <class Tensor>
  void add(const Tensor& x) {
    add(x.data(), static_cast<std::size_t>(x.size()) * sizeof *x.data());
  }
  template <class... Datasets>
  static std::string of(const Datasets&... sets) {
    Fingerprint all;
    ((all.add(sets.images()), all.add(sets.labels())), ...);
    return all.text();
  }
  std::string text() const;

 private:
  unsigned long sum_ = 0;
};

// The files of a folder, by name.
std::vector<std::string> files_in(const std::string& folder);

std::string today();  // "2026-11-26"

std::string library_version();  // "0.1.0"
