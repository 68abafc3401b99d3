/// \file
/// A folder per class, full of images: `root/cat/1.png`, `root/dog/2.jpg`, ...
#pragma once

#include <ebb/data/augment/fit.hpp>
#include <ebb/data/read/image_file.hpp>
#include <ebb/data/sets/dataset.hpp>
#include <ebb/device/cpu/parallel.hpp>

#include <exception>

namespace ebb::inline EBB_ABI::data {

struct ImageFolderOptions {
  int channels = 0;        ///< 1: grey, 3: colour, 0: as the first image
  Size2 size = {};         ///< every image is resized to this; 0x0: they must be alike
  Fit fit = Fit::stretch;  ///< how they take that size
  Index limit = 0;         ///< images read per class, the first by name; 0: all
  ValueRange range{};  ///< of images of 16 bits: what is black and white, as in ReadImageOptions
};

/// Files below a folder, class by class.
struct ImageFiles {
  std::vector<std::string> classes;  ///< sorted by name, as bytes
  std::vector<std::string> paths;    ///< within a class, sorted by name
  std::vector<int> labels;
};

namespace detail {

/// Sorted paths in `folder`: sub-folders, or everything else. Names that start with a dot are left
/// out.
inline std::vector<std::filesystem::path> entries(const std::filesystem::path& folder,
                                                  bool folders) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> found;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (os::utf8(entry->path().filename()).front() != '.' &&
        fs::is_directory(entry->path(), ignored) == folders)
      found.push_back(entry->path());
  }
  if (error)
    throw FileError(message("read_image_folder: '", os::utf8(folder), "' cannot be listed: ",
                            error.message(), "; name a folder that holds a folder per class"));
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    return os::utf8(a.filename()) < os::utf8(b.filename());
  });
  return found;
}

}  // namespace detail

/// Lists the images of a folder per class without reading them. Files and folders whose names start
/// with a dot are left out; files beside the class folders are none of it.
/// \throws FileError when there is no class, or a class without an image.
inline ImageFiles list_image_folder(const std::string& root, Index limit = 0) {
  if (limit < 0)
    throw ValueError(message("read_image_folder: a limit of ", limit,
                             " images per class was given; use 1 or more, or 0 for all"));
  ImageFiles files;
  for (const auto& folder : detail::entries(os::native(root), true)) {
    const auto images = detail::entries(folder, false);
    if (images.empty())
      throw FileError(message("read_image_folder: class folder '", os::utf8(folder),
                              "' holds no file; remove it, or put its images there"));
    const auto count =
        limit > 0 ? std::min(images.size(), static_cast<std::size_t>(limit)) : images.size();
    for (std::size_t i = 0; i < count; ++i) {
      files.paths.push_back(os::utf8(images[i]));
      files.labels.push_back(static_cast<int>(files.classes.size()));
    }
    files.classes.push_back(os::utf8(folder.filename()));
  }
  if (files.classes.empty())
    throw FileError(message("read_image_folder: '", root,
                            "' holds no folder; it must hold one "
                            "folder per class, each with the images of that class"));
  return files;
}

/// Reads a folder per class into memory: PNG, JPEG and BMP. The same folder gives the same dataset,
/// whatever order the system lists it in.
/// \throws FileError when there is no class, a class without an image, a file that is no image or
/// is damaged, or images of different sizes and no size to bring them to.
inline Dataset<std::uint8_t> read_image_folder(const std::string& root,
                                               ImageFolderOptions options = {}) {
  if (options.channels != 0 && options.channels != 1 && options.channels != 3)
    throw ValueError(message("read_image_folder: ", options.channels,
                             " channels were asked for; "
                             "use 1 (grey), 3 (colour) or 0 (as the first image)"));
  const bool resizes = !(options.size == Size2{});
  if (resizes && (options.size.height < 1 || options.size.width < 1))
    throw ValueError(message("read_image_folder: images of ", options.size,
                             " were asked for; use 1x1 or more, or 0x0 to keep their size"));
  ImageFiles files = list_image_folder(root, options.limit);
  const auto count = static_cast<Index>(files.paths.size());

  const ImageInfo first = image_info(files.paths[0]);
  const Size2 size = resizes ? options.size : first.size;
  const int channels = options.channels != 0 ? options.channels : first.channels < 3 ? 1 : 3;
  // Sizes are compared before there is memory for all, so that one odd file costs nothing. The
  // first of several faults is the one reported, whatever thread met it.
  std::vector<std::exception_ptr> faults(files.paths.size());
  const auto for_each_file = [&](auto&& task) {
    parallel_for(count, count * size.area() * 100, [&](Index i) {
      try {
        task(i, files.paths[static_cast<std::size_t>(i)]);
      } catch (...) {
        faults[static_cast<std::size_t>(i)] = std::current_exception();
      }
    });
    for (const std::exception_ptr& fault : faults)
      if (fault) std::rethrow_exception(fault);
  };
  if (!resizes)
    for_each_file([&](Index, const std::string& path) {
      const Size2 other = image_info(path).size;
      if (!(other == size))
        throw FileError(message("read_image_folder: '", path, "' is ", other, " pixels and '",
                                files.paths[0], "' is ", size,
                                "; give a .size to bring all images "
                                "to, or make them alike"));
    });

  Tensor<std::uint8_t, 4> images({count, channels, size.height, size.width});
  const Index pixels = channels * size.area();
  for_each_file([&](Index i, const std::string& path) {
    ByteImage x = read_image(path, {.channels = channels, .range = options.range});
    if (resizes) x = resize(x, size, options.fit);
    if (x.size() != pixels)
      throw FileError(message("read_image_folder: '", path, "' changed while it was read"));
    Cpu::copy(images.mutable_data() + i * pixels, x.data(), static_cast<std::size_t>(pixels));
  });
  return {images, Tensor<int, 1>::from({count}, files.labels), std::move(files.classes)};
}

}  // namespace ebb::data
