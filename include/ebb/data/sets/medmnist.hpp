/// \file
/// MedMNIST's .npz files (Yang et al., "MedMNIST v2", Scientific Data 2023): images of three
/// splits, (n, height, width) or (n, height, width, 3) bytes, and labels (n, 1).
#pragma once

#include <ebb/data/read/npz.hpp>
#include <ebb/data/sets/dataset.hpp>

namespace ebb::inline EBB_ABI::data {

/// A MedMNIST file: its training, validation and test images under the same classes.
struct MedMnist {
  Dataset<> train, validation, test;

  int class_count() const { return train.class_count(); }
};

namespace detail {

/// Images (n, h, w) or (n, h, w, channels) as (n, channels, h, w).
inline Tensor<std::uint8_t, 4> medmnist_images(const Array& array) {
  const std::vector<Index>& s = array.shape;
  const bool grey = s.size() == 3;
  if (array.type != ElementType{'u', 1} || !(grey || (s.size() == 4 && s[3] == 3)))
    throw FileError(message(array.source, ": it is ", to_string(array.type), " of ", s.size(),
                            " axes; images are uint8, (n, height, width) or (n, height, width, "
                            "3)"));
  if (grey) return array.get<std::uint8_t, 3>().reshape(Shape<4>{s[0], 1, s[1], s[2]});
  Tensor<std::uint8_t, 4> x({s[0], 3, s[1], s[2]});
  const Index pixels = s[1] * s[2];
  for (Index n = 0; n < s[0]; ++n)
    for (Index c = 0; c < 3; ++c)
      for (Index p = 0; p < pixels; ++p)
        x.mutable_data()[(n * 3 + c) * pixels + p] =
            array.bytes[static_cast<std::size_t>((n * pixels + p) * 3 + c)];
  return x;
}

inline Tensor<int, 1> medmnist_labels(const Array& array) {
  const std::vector<Index>& s = array.shape;
  if (s.size() == 2 && s[1] > 1)
    throw FileError(message(array.source, ": it has ", s[1],
                            " labels an image; only sets of one class an image are read"));
  if ((s.size() != 1 && !(s.size() == 2 && s[1] == 1)) ||
      (array.type.kind != 'u' && array.type.kind != 'i'))
    throw FileError(message(array.source, ": it is ", to_string(array.type), " of ", s.size(),
                            " axes; labels are whole numbers, (n, 1)"));
  Tensor<std::int64_t, 1> wide = s.size() == 1
                                     ? array.get<std::int64_t, 1>()
                                     : array.get<std::int64_t, 2>().reshape(Shape<1>{s[0]});
  Tensor<int, 1> labels({s[0]});
  for (Index i = 0; i < s[0]; ++i) {
    if (wide(i) < 0 || wide(i) > 1000)
      throw FileError(message(array.source, ": label ", wide(i), " of image ", i,
                              " is no class; classes count from 0, to 1000 at most"));
    labels(i) = static_cast<int>(wide(i));
  }
  return labels;
}

}  // namespace detail

/// Reads the splits of a MedMNIST file. Without names, classes are "0", "1", ... up to the largest
/// label of the training split.
/// \throws FileError when a member is missing or is no image or label; ValueError when a label
/// names no class (in the other splits, also none of the training split); ShapeError when images
/// and labels differ in number.
inline MedMnist read_medmnist(const std::string& path, std::vector<std::string> classes = {}) {
  const NpzFile file(path);
  const auto part = [&](const std::string& name) {
    Dataset<> split(detail::medmnist_images(file.get(name + "_images")),
                    detail::medmnist_labels(file.get(name + "_labels")), classes);
    classes = split.classes();
    return split;
  };
  MedMnist set;
  set.train = part("train");
  set.validation = part("val");
  set.test = part("test");
  return set;
}

}  // namespace ebb::data
