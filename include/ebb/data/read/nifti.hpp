/// \file
/// NIfTI-1 and NIfTI-2 images: .nii, .nii.gz and .hdr/.img pairs, in either byte order. Formats:
/// nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
#pragma once

#include <ebb/data/read/nifti/header.hpp>

namespace ebb::inline EBB_ABI::data {

/// What the header and its extensions say; `stored` has a shape, and no elements.
/// \throws FileError when the file is missing, damaged, or no NIfTI file.
inline Nifti nifti_info(const std::string& path) {
  detail::GzipReader file("nifti_info", path);
  NiftiOptions any;
  any.most_bytes = std::numeric_limits<std::uint64_t>::max();
  return detail::nifti_start("nifti_info", path, file, any).image;
}

/// Reads a NIfTI image; of a pair, name the .hdr, beside which the .img (or .img.gz) lies.
/// \throws FileError when it is missing, damaged, or holds what there is no type for.
inline Nifti read_nifti(const std::string& path, NiftiOptions options = {}) {
  namespace fs = std::filesystem;
  detail::GzipReader file("read_nifti", path);
  detail::NiftiStart start = detail::nifti_start("read_nifti", path, file, options);
  Nifti& image = start.image;
  std::optional<detail::GzipReader> other;
  if (start.pair) {
    fs::path elements(os::native(path));
    if (elements.extension() == ".gz") elements.replace_extension();
    elements.replace_extension(".img");
    if (!fs::exists(elements)) elements += ".gz";
    if (!fs::exists(elements))
      file.fail(message("it is the header of a pair, and '",
                        os::utf8(fs::path(elements).replace_extension()),
                        "' (or .gz), the file of its elements, is not there; copy both"));
    other.emplace("read_nifti", os::utf8(elements));
  }
  detail::GzipReader& data = other ? *other : file;
  detail::nifti_skip(data, start.skip);
  std::vector<unsigned char>& to = image.stored.bytes;
  while (to.size() < start.bytes) {  // memory grows with what arrives
    const std::size_t had = to.size();
    const std::uint64_t room = std::max<std::uint64_t>(had * 2, std::uint64_t{1} << 22);
    to.resize(static_cast<std::size_t>(std::min(start.bytes, room)));
    const std::size_t got = data.read(to.data() + had, to.size() - had);
    if (had + got < to.size())
      data.fail(message("it holds ", had + got, " bytes of elements, and the header promises ",
                        start.bytes, ": it is truncated; copy it again"));
  }
  const auto width = static_cast<std::ptrdiff_t>(image.stored.type.bytes);
  if (start.swapped && width > 1)
    for (auto at = to.begin(); at != to.end(); at += width) std::reverse(at, at + width);
  image.after = detail::nifti_bytes(data, std::uint64_t{1} << 20);
  if (!detail::nifti_says(image.after)) image.after.clear();
  return std::move(image);
}

}  // namespace ebb::data
