/// \file
/// MNIST and its relatives (Fashion-MNIST, KMNIST): four IDX files with canonical names.
#pragma once

#include <ebb/data/read/idx.hpp>
#include <ebb/data/sets/dataset.hpp>

#include <array>

namespace ebb::inline EBB_ABI::data {

/// Images (count, 1, height, width) from an IDX file of rank 3.
inline Tensor<std::uint8_t, 4> read_idx_images(const std::string& path) {
  const auto x = read_idx<std::uint8_t, 3>(path);
  return x.reshape(Shape{x.extent(0), Index{1}, x.extent(1), x.extent(2)});
}

/// Labels from an IDX file of rank 1.
inline Tensor<int, 1> read_idx_labels(const std::string& path) {
  const auto x = read_idx<std::uint8_t, 1>(path);
  Tensor<int, 1> labels(x.shape());
  for (Index i = 0; i < x.size(); ++i) labels(i) = x(i);
  return labels;
}

/// A dataset from a file of images and a file of labels.
/// \throws FileError when a file cannot be believed, the two differ in number, or a label names no
/// class.
inline Dataset<std::uint8_t> read_idx_dataset(const std::string& images, const std::string& labels,
                                              std::vector<std::string> classes = {}) {
  const auto x = read_idx_images(images);
  const auto y = read_idx_labels(labels);
  try {
    return {x, y, std::move(classes)};
  } catch (const Error& error) {
    throw FileError(message("read_idx_dataset: '", images, "' and '", labels,
                            "' do not go together: ", error.what()));
  }
}

/// The path of `name` in `folder`, plain or with ".gz"; empty when neither is there. Some copies
/// have a dot before "idx": "train-images.idx3-ubyte".
inline std::string find_idx(const std::string& folder, std::string name) {
  namespace fs = std::filesystem;
  for (int spelling = 0; spelling < 2; ++spelling) {
    for (const char* suffix : {"", ".gz"}) {
      std::error_code ignored;
      const fs::path path = fs::path(os::native(folder)) / (name + suffix);
      if (fs::is_regular_file(path, ignored)) return os::utf8(path);
    }
    if (const auto at = name.find("-idx"); at != std::string::npos) name[at] = '.';
  }
  return {};
}

/// The training and test parts of a dataset.
struct TrainTest {
  Dataset<std::uint8_t> train, test;
};

/// Reads the four canonical files, each gzipped or not: {train, t10k}-images-idx3-ubyte and
/// {train, t10k}-labels-idx1-ubyte. Classes are called "0" to "9" unless named.
/// \throws FileError when one is missing or cannot be believed.
inline TrainTest read_mnist(const std::string& folder, std::vector<std::string> classes = {}) {
  if (classes.empty())
    for (int digit = 0; digit < 10; ++digit) classes.push_back(std::to_string(digit));
  std::error_code ignored;
  if (!std::filesystem::is_directory(os::native(folder), ignored))
    throw FileError(message("read_mnist: there is no folder '", folder,
                            "'; name the folder that holds the four idx files"));
  const auto path = [&](const char* name) {
    std::string found = find_idx(folder, name);
    if (found.empty())
      throw FileError(message("read_mnist: neither '", name, "' nor '", name, ".gz' is in '",
                              folder, "'; put the four idx files there"));
    return found;
  };
  const std::array files{path("train-images-idx3-ubyte"), path("train-labels-idx1-ubyte"),
                         path("t10k-images-idx3-ubyte"), path("t10k-labels-idx1-ubyte")};
  return {read_idx_dataset(files[0], files[1], classes),
          read_idx_dataset(files[2], files[3], classes)};
}

}  // namespace ebb::data
