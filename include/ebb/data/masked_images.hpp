/// \file
/// Images and their masks out of two folders: what a network that segments learns from.
#pragma once

#include <ebb/data/image_folder.hpp>

#include <array>
#include <map>
#include <optional>

namespace ebb::data {

/// Images of one size, and for each pixel whether it belongs to what is looked for.
struct MaskedImages {
  Tensor<std::uint8_t, 4> images;  ///< (n, channels, height, width)
  Tensor<int, 3> masks;            ///< (n, height, width): 1 is foreground, 0 is not
  std::vector<std::string> names;  ///< of the images' files, without folder and extension
  int foreground = 0;              ///< the value in the files that became 1

  Index size() const { return images.extent(0); }
  Index channels() const { return images.extent(1); }
  Size2 image_size() const { return {images.extent(2), images.extent(3)}; }

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
    return some;
  }
};

struct MaskedImagesOptions {
  int channels = 0;                 ///< of the images; 1: grey, 3: colour, 0: as the first image
  std::optional<int> foreground{};  ///< value of a mask's foreground; none: the larger of its two
  ValueRange range{};  ///< of images of 16 bits: what is black and white, as in ReadImageOptions
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
/// name, whatever the extension ("a/7.jpg" and "b/7.png"); all images have one size. They come
/// sorted by name, numbers as numbers, so that neighbours in a stack stay neighbours.
/// \throws FileError when a folder cannot be listed or is empty, an image has no mask or a mask no
/// image, a file cannot be read, sizes differ, a mask has colours or 16 bits; ValueError when
/// `foreground` is not given and the masks do not have exactly two values, or is given and occurs
/// in none of them.
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
  for (const auto* files : {&image_files, &mask_files})
    for (const auto& [name, path] : *files)
      if (const Size2 other = image_info(path).size; !(other == info.size))
        throw FileError(message("read_masked_images: '", path, "' is ", other, " pixels and '",
                                first, "' is ", info.size,
                                "; images and masks must all have one size"));

  const auto count = static_cast<Index>(set.names.size());
  const Index area = info.size.area();
  set.images = Tensor<std::uint8_t, 4>({count, channels, info.size.height, info.size.width});
  set.masks = Tensor<int, 3>({count, info.size.height, info.size.width});
  std::array<Index, 256> seen{};
  for (Index n = 0; n < count; ++n) {
    const std::string& name = set.names[static_cast<std::size_t>(n)];
    const ByteImage image =
        read_image(image_files.at(name), {.channels = channels, .range = options.range});
    const ByteImage mask = detail::read_mask(mask_files.at(name));
    if (image.size() != channels * area || mask.size() / mask.extent(0) != area)
      throw FileError(message("read_masked_images: '", name, "' changed while it was read"));
    std::copy_n(image.data(), channels * area, set.images.mutable_data() + n * channels * area);
    for (Index i = 0; i < area; ++i) {
      ++seen[mask.data()[i]];
      set.masks.mutable_data()[n * area + i] = mask.data()[i];
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
  for (Index i = 0; i < set.masks.size(); ++i)
    set.masks.mutable_data()[i] = set.masks.data()[i] == set.foreground;
  return set;
}

}  // namespace ebb::data
