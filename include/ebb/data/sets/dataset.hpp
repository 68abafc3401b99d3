/// \file
/// Labelled images in memory.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/data/augment/image.hpp>
#include <ebb/data/augment/random.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// What pixels may be: bytes from 0 to 255, or floating point as it is.
template <class T>
concept Pixel = std::same_as<T, std::uint8_t> || std::same_as<T, float>;

/// An image and the number of its class.
struct LabelledImage {
  Image image;
  int label = 0;
};

/// Some images (count, channels, height, width) and their labels (count).
struct Batch {
  Tensor<float, 4> images;
  Tensor<int, 1> labels;

  Index size() const { return labels.extent(0); }
};

class Transform;

/// Labelled images in host memory: images (count, channels, height, width), labels (count), and
/// the name of each class. Copies share the memory, as tensors do.
template <Pixel T = std::uint8_t>
class Dataset {
 public:
  using pixel = T;
  using Batch = data::Batch;          ///< what a loader hands out
  using Transform = data::Transform;  ///< what it applies: the label stays

  Dataset() : Dataset(Tensor<T, 4>({0, 1, 1, 1}), Tensor<int, 1>({0}), {}) {}

  /// Without names, the classes are called "0", "1", ... up to the largest label.
  /// \throws ShapeError when images and labels differ in number, ValueError when a label names no
  /// class.
  Dataset(Tensor<T, 4> images, Tensor<int, 1> labels, std::vector<std::string> classes = {})
      : images_(std::move(images)), labels_(std::move(labels)), classes_(std::move(classes)) {
    static_cast<void>(images_.data());  // throw when undefined
    const int* label = labels_.data();
    if (images_.extent(0) != labels_.extent(0))
      throw ShapeError(message("dataset: ", images_.extent(0), " images, of shape ",
                               images_.shape(), ", came with ", labels_.extent(0),
                               " labels; give one label per image"));
    const bool named = !classes_.empty();
    for (Index i = 0; i < labels_.extent(0); ++i) {
      if (label[i] < 0 || (named && label[i] >= class_count()))
        throw ValueError(message(
            "dataset: label ", label[i], " of image ", i, " is out of range; ",
            named ? message("there are ", class_count(), " classes, 0 to ", class_count() - 1)
                  : "classes count from 0"));
      if (!named && label[i] >= most_unnamed_classes)
        throw ValueError(message("dataset: label ", label[i], " of image ", i,
                                 " asks for more "
                                 "than ",
                                 most_unnamed_classes,
                                 " classes; if that is meant, give "
                                 "their names"));
    }
    if (!named)
      for (Index i = 0; i < labels_.extent(0); ++i)
        while (label[i] >= class_count()) classes_.push_back(std::to_string(classes_.size()));
  }

  const Tensor<T, 4>& images() const { return images_; }
  const Tensor<int, 1>& labels() const { return labels_; }
  const std::vector<std::string>& classes() const { return classes_; }

  Index size() const { return labels_.extent(0); }
  Index channels() const { return images_.extent(1); }
  Size2 image_size() const { return {images_.extent(2), images_.extent(3)}; }
  int class_count() const { return static_cast<int>(classes_.size()); }

  /// Images per class.
  std::vector<Index> class_sizes() const {
    std::vector<Index> sizes(classes_.size());
    for (Index i = 0; i < size(); ++i) ++sizes[static_cast<std::size_t>(labels_(i))];
    return sizes;
  }

  /// Image `i`, (channels, height, width), without a copy.
  View<const T, 3> image(Index i) const {
    const Shape<3> shape{images_.extent(1), images_.extent(2), images_.extent(3)};
    return {images_.data() + check(i) * shape.size(), shape};
  }
  int label(Index i) const { return labels_(check(i)); }
  /// Both, bytes as numbers from 0 to 1: what a loader asks for.
  LabelledImage get(Index i) const {
    const auto from = image(i);
    LabelledImage sample{Image(from.shape), label(i)};
    put(from, sample.image.mutable_data());
    return sample;
  }
  /// The same, written to place `at` of a batch at once.
  void put(Index i, const Batch& batch, Index at) const {
    batch.labels.mutable_data()[at] = label(i);
    put(image(i), batch.images.mutable_data() + at * image_pixels());
  }

  /// A copy of the images at these positions, in this order, under the same classes.
  /// \throws ValueError when a position is out of range.
  Dataset subset(std::span<const Index> positions) const {
    const auto count = static_cast<Index>(positions.size());
    const Index pixels = image_pixels();
    Tensor<T, 4> images({count, images_.extent(1), images_.extent(2), images_.extent(3)});
    Tensor<int, 1> labels({count});
    for (Index to = 0; to < count; ++to) {
      const Index from = check(positions[static_cast<std::size_t>(to)]);
      Cpu::copy(images.mutable_data() + to * pixels, images_.data() + from * pixels,
                static_cast<std::size_t>(pixels) * sizeof(T));
      labels(to) = labels_(from);
    }
    Dataset part;
    part.images_ = std::move(images);
    part.labels_ = std::move(labels);
    part.classes_ = classes_;
    return part;
  }

 private:
  static constexpr int most_unnamed_classes = 1 << 20;

  static void put(const View<const T, 3>& from, float* to) {
    for (Index k = 0; k < from.size(); ++k) to[k] = detail::to_float(from.data[k]);
  }

  Index image_pixels() const { return images_.extent(1) * images_.extent(2) * images_.extent(3); }

  Index check(Index i) const {
    if (i < 0 || i >= size())
      throw ValueError(message("dataset: there is no image ", i, "; the dataset holds ", size(),
                               size() > 0 ? message(", 0 to ", size() - 1) : ""));
    return i;
  }

  Tensor<T, 4> images_;
  Tensor<int, 1> labels_;
  std::vector<std::string> classes_;
};

/// Two parts of a dataset: `auto [train, validation] = split(dataset, 0.9, seed);`
template <Pixel T>
struct Split {
  Dataset<T> first, second;
};

namespace detail {

inline void check_fraction(const char* who, double fraction) {
  if (!(fraction >= 0 && fraction <= 1))
    throw ValueError(message(who, ": the fraction that goes to the first part is ", fraction,
                             "; use a number from 0 to 1"));
}

inline Index share(double fraction, Index n) {
  return static_cast<Index>(std::llround(fraction * static_cast<double>(n)));
}

}  // namespace detail

/// Cuts a dataset in two at random: round(fraction * size) images, and the rest. The same seed
/// gives the same parts; within a part, images keep their order.
/// \throws ValueError when the fraction is not in [0, 1].
template <Pixel T>
Split<T> split(const Dataset<T>& dataset, double fraction, std::uint64_t seed = 0) {
  detail::check_fraction("split", fraction);
  std::vector<Index> order = permutation(dataset.size(), derive({seed, 0}, 1));
  const auto cut = order.begin() + detail::share(fraction, dataset.size());
  std::sort(order.begin(), cut);
  std::sort(cut, order.end());
  return {dataset.subset({order.begin(), cut}), dataset.subset({cut, order.end()})};
}

/// The same, class by class: each part has round(fraction * class size) images of each class, so
/// both have the class balance of the whole.
/// \throws ValueError when the fraction is not in [0, 1].
template <Pixel T>
Split<T> stratified_split(const Dataset<T>& dataset, double fraction, std::uint64_t seed = 0) {
  detail::check_fraction("stratified_split", fraction);
  std::vector<Index> wanted = dataset.class_sizes();
  for (Index& size : wanted) size = detail::share(fraction, size);
  std::vector<Index> first, second;
  for (const Index i : permutation(dataset.size(), derive({seed, 0}, 2)))
    (wanted[static_cast<std::size_t>(dataset.label(i))]-- > 0 ? first : second).push_back(i);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  return {dataset.subset(first), dataset.subset(second)};
}

}  // namespace ebb::data
