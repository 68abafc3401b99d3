/// \file
/// Images and their masks out of two folders: what a network that segments learns from.
#pragma once

#include <ebb/data/augment/paired.hpp>
#include <ebb/data/sets/image_folder.hpp>

#include <array>
#include <map>
#include <optional>

namespace ebb::inline EBB_ABI::data {

/// Some images (count, channels, height, width) and the classes of their pixels (count, height,
/// width).
struct PairBatch {
  Tensor<float, 4> images;
  Tensor<int, 3> masks;

  Index size() const { return images.extent(0); }
};

/// Images, and for each of their pixels whether it belongs to what is looked for.
struct MaskedImages {
  Tensor<std::uint8_t, 4> images;  ///< (n, channels, height, width)
  Tensor<int, 3> masks;            ///< (n, height, width): 1 is foreground, 0 is not
  std::vector<std::string> names;  ///< of the images' files, without folder and extension
  int foreground = 0;              ///< the value in the files that became 1
  /// Where images are of several sizes: that of each. It lies in the upper left corner of its place
  /// in `images` and `masks`, with zeros beside it. Empty: all fill their places.
  std::vector<Size2> sizes{};

  using Batch = PairBatch;  ///< what a loader hands out

  Index size() const { return images.extent(0); }
  Index channels() const { return images.extent(1); }
  /// The largest height and width.
  Size2 image_size() const { return {images.extent(2), images.extent(3)}; }
  /// Height and width of image `n`.
  Size2 size_of(Index n) const {
    return sizes.empty() ? image_size() : sizes[static_cast<std::size_t>(n)];
  }

  /// Image `n` in its own size, (channels, height, width).
  ByteImage image(Index n) const {
    const Size2 size = size_of(n);
    ByteImage x({channels(), size.height, size.width});
    for (Index c = 0; c < channels(); ++c)
      for (Index i = 0; i < size.height; ++i)
        std::copy_n(
            images.data() + ((n * channels() + c) * images.extent(2) + i) * images.extent(3),
            size.width, x.mutable_data() + (c * size.height + i) * size.width);
    return x;
  }
  /// Its mask, (height, width).
  Tensor<int, 2> mask(Index n) const {
    const Size2 size = size_of(n);
    Tensor<int, 2> x({size.height, size.width});
    for (Index i = 0; i < size.height; ++i)
      std::copy_n(masks.data() + (n * masks.extent(1) + i) * masks.extent(2), size.width,
                  x.mutable_data() + i * size.width);
    return x;
  }

  /// Both, the image's bytes as numbers from 0 to 1: what a loader asks for.
  ImageAndMask get(Index n) const { return {to_tensor(image(n)), mask(n)}; }

  /// `count` of them, from number `first` on.
  MaskedImages part(Index first, Index count) const {
    const Index pixels = channels() * image_size().area(), area = image_size().area();
    MaskedImages some{
        Tensor<std::uint8_t, 4>({count, channels(), image_size().height, image_size().width}),
        Tensor<int, 3>({count, image_size().height, image_size().width}),
        {names.begin() + first, names.begin() + first + count},
        foreground};
    std::copy_n(images.data() + first * pixels, count * pixels, some.images.mutable_data());
    std::copy_n(masks.data() + first * area, count * area, some.masks.mutable_data());
    if (!sizes.empty()) some.sizes = {sizes.begin() + first, sizes.begin() + first + count};
    return some;
  }
};

struct MaskedImagesOptions {
  int channels = 0;                 ///< of the images; 1: grey, 3: colour, 0: as the first image
  std::optional<int> foreground{};  ///< value of a mask's foreground; none: the larger of its two
  ValueRange range{};  ///< of images of 16 bits: what is black and white, as in ReadImageOptions
  bool mixed_sizes = false;  ///< take images of several sizes; else all must have one
};

namespace detail {

/// Names in the order of a person, 2 before 10: runs of digits count as numbers.
inline bool before_by_number(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    while (i < a.size() && a[i] == '0') ++i;
    while (j < b.size() && b[j] == '0') ++j;
    std::size_t m = i, n = j;
    while (m < a.size() && digit(a[m])) ++m;
    while (n < b.size() && digit(b[n])) ++n;
    if (m - i != n - j) return m - i < n - j;
    if (const int order = a.compare(i, m - i, b, j, n - j); order != 0) return order < 0;
    i = m, j = n;
  }
  if ((i == a.size()) != (j == b.size())) return i == a.size();
  return a < b;  // 1 and 01
}

/// The files of a folder by their names without extension.
inline std::map<std::string, std::string> files_by_name(const std::string& folder,
                                                        const char* what) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(os::native(folder), ignored))
    throw FileError(message("read_masked_images: there is no folder '", folder,
                            "'; name the folder of ", what));
  std::map<std::string, std::string> files;
  for (const auto& path : entries(os::native(folder), false)) {
    const auto [at, is_new] = files.emplace(os::utf8(path.stem()), os::utf8(path));
    if (!is_new)
      throw FileError(message("read_masked_images: '", at->second, "' and '", os::utf8(path),
                              "' have the same name, so which is meant is not clear; rename one"));
  }
  if (files.empty())
    throw FileError(
        message("read_masked_images: '", folder, "' holds no file; name the folder of ", what));
  return files;
}

/// A mask as the numbers in its file. \throws FileError when it has colours: which number a colour
/// stands for, only its author knows.
inline ByteImage read_mask(const std::string& path) {
  ImageFile file(path);
  if (file.info().bits > 8)
    throw FileError(message("read_masked_images: the mask '", path,
                            "' has 16 bits a pixel; save masks with 8 bits"));
  const ByteImage mask = file.decode(file.channels_for(0));
  const Index area = mask.extent(1) * mask.extent(2);
  for (Index c = 1; c < mask.extent(0); ++c)
    if (!std::equal(mask.data(), mask.data() + area, mask.data() + c * area))
      throw FileError(message("read_masked_images: the mask '", path,
                              "' has colours (or a palette of them); save it as grey, with one "
                              "value for the background and one for the foreground"));
  return mask;
}

}  // namespace detail

/// Reads two folders of PNG, JPEG or BMP files into memory. An image and its mask have the same
/// name, whatever the extension ("a/7.jpg" and "b/7.png"), and the same size; all images have one
/// size, unless several are asked for. They come sorted by name, numbers as numbers, so that
/// neighbours in a stack stay neighbours. \throws FileError when a folder cannot be listed or is
/// empty, an image has no mask or a mask no image, a file cannot be read, sizes differ, a mask has
/// colours or 16 bits; ValueError when `foreground` is not given and the masks do not have exactly
/// two values, or is given and occurs in none of them.
inline MaskedImages read_masked_images(const std::string& images, const std::string& masks,
                                       const MaskedImagesOptions& options = {}) {
  if (options.foreground && (*options.foreground < 0 || *options.foreground > 255))
    throw ValueError(message("read_masked_images: a foreground of ", *options.foreground,
                             " was given; it is a value of 8 bits, 0 to 255"));
  const auto image_files = detail::files_by_name(images, "the images");
  const auto mask_files = detail::files_by_name(masks, "the masks");
  const auto has_partner = [](const auto& files, const auto& others, const char* what,
                              const std::string& folder) {
    for (const auto& [name, path] : files)
      if (!others.contains(name))
        throw FileError(message("read_masked_images: '", path, "' has no ", what, " called '", name,
                                "' in '", folder, "'; add it, or take this file away"));
  };
  has_partner(image_files, mask_files, "mask", masks);
  has_partner(mask_files, image_files, "image", images);

  MaskedImages set;
  for (const auto& [name, path] : image_files) set.names.push_back(name);
  std::sort(set.names.begin(), set.names.end(), detail::before_by_number);
  const std::string& first = image_files.at(set.names[0]);
  const ImageInfo info = image_info(first);
  const int channels = options.channels != 0 ? options.channels : info.channels < 3 ? 1 : 3;
  const auto count = static_cast<Index>(set.names.size());
  Size2 largest_size = info.size;
  Index own_area = 0;
  for (const std::string& name : set.names) {
    const std::string &path = image_files.at(name), &mask = mask_files.at(name);
    const Size2 size = image_info(path).size;
    if (!options.mixed_sizes && !(size == info.size))
      throw FileError(message("read_masked_images: '", path, "' is ", size, " pixels and '", first,
                              "' is ", info.size, "; images must all have one size"));
    if (const Size2 other = image_info(mask).size; !(other == size))
      throw FileError(message("read_masked_images: the mask '", mask, "' is ", other,
                              " pixels and its image '", path, "' is ", size,
                              "; they must have one size"));
    largest_size = {std::max(largest_size.height, size.height),
                    std::max(largest_size.width, size.width)};
    own_area += size.area();
    set.sizes.push_back(size);
  }
  const bool mixed = std::any_of(set.sizes.begin(), set.sizes.end(),
                                 [&](const Size2& size) { return !(size == largest_size); });
  // A byte a channel and an int for the mask: one giant must not make a gigabyte out of each image.
  if (mixed && count * largest_size.area() > std::max(4 * own_area, Index{1} << 28))
    throw FileError(message("read_masked_images: '", images, "' has images of up to ", largest_size,
                            " pixels, and most are far smaller; cut the largest into pieces"));
  set.images =
      Tensor<std::uint8_t, 4>::zeros({count, channels, largest_size.height, largest_size.width});
  set.masks = Tensor<int, 3>::zeros({count, largest_size.height, largest_size.width});
  std::array<Index, 256> seen{};
  for (Index n = 0; n < count; ++n) {
    const std::string& name = set.names[static_cast<std::size_t>(n)];
    const ByteImage image =
        read_image(image_files.at(name), {.channels = channels, .range = options.range});
    const ByteImage mask = detail::read_mask(mask_files.at(name));
    const Size2 size = set.sizes[static_cast<std::size_t>(n)];
    const auto is_as_before = [&](const ByteImage& x) {
      return x.extent(1) == size.height && x.extent(2) == size.width;
    };
    if (!is_as_before(image) || !is_as_before(mask))
      throw FileError(message("read_masked_images: '", name, "' changed while it was read"));
    for (Index c = 0; c < channels; ++c)
      for (Index i = 0; i < size.height; ++i)
        std::copy_n(image.data() + (c * size.height + i) * size.width, size.width,
                    &set.images(n, c, i, 0));
    for (Index i = 0; i < size.height; ++i)
      for (Index j = 0; j < size.width; ++j) {
        const std::uint8_t value = mask(0, i, j);
        ++seen[value];
        set.masks(n, i, j) = value;
      }
  }
  std::string values;
  int kinds = 0, largest = 0;
  for (int v = 0; v < 256; ++v)
    if (seen[static_cast<std::size_t>(v)] > 0) {
      if (++kinds <= 8) values += message(values.empty() ? "" : ", ", v);
      largest = v;
    }
  if (kinds > 8) values += ", ...";
  if (!options.foreground && kinds != 2)
    throw ValueError(message("read_masked_images: the masks in '", masks, "' have ", kinds,
                             " values (", values, "); which one is the foreground must be said"));
  set.foreground = options.foreground.value_or(largest);
  if (seen[static_cast<std::size_t>(set.foreground)] == 0)
    throw ValueError(message("read_masked_images: no mask in '", masks, "' has the foreground ",
                             set.foreground, "; their values are ", values));
  for (Index n = 0; n < count; ++n) {
    const Size2 size = set.sizes[static_cast<std::size_t>(n)];
    for (Index i = 0; i < size.height; ++i)
      for (Index j = 0; j < size.width; ++j)
        set.masks(n, i, j) = set.masks(n, i, j) == set.foreground;
  }
  if (!mixed) set.sizes.clear();
  return set;
}

}  // namespace ebb::data
