/// \file
/// What stands between the header and the elements of a NIfTI image. Format: nifti1.h, "extended
/// header information".
#pragma once

#include <ebb/data/read/idx.hpp>
#include <ebb/data/read/nifti/image.hpp>

#include <limits>
#include <span>

namespace ebb::inline EBB_ABI::data::detail {

/// Passes over `count` bytes. \throws FileError when they are not there.
inline void nifti_skip(GzipReader& file, std::uint64_t count) {
  unsigned char passed[4096];
  while (count > 0) {
    const std::size_t got =
        file.read(passed, static_cast<std::size_t>(std::min<std::uint64_t>(count, sizeof passed)));
    if (got == 0) file.fail("it ends before its elements begin: it is truncated; copy it again");
    count -= got;
  }
}

/// Reads up to `most` bytes, fewer at the end of the file.
inline std::vector<unsigned char> nifti_bytes(GzipReader& file, std::uint64_t most) {
  std::vector<unsigned char> all;
  while (all.size() < most) {  // memory grows with what arrives
    const std::size_t had = all.size();
    const std::uint64_t room = std::max<std::uint64_t>(2 * had, 4096);
    all.resize(static_cast<std::size_t>(std::min(most, room)));
    const std::size_t got = file.read(all.data() + had, all.size() - had);
    all.resize(had + got);
    if (all.size() < std::min(most, room)) break;
  }
  return all;
}

inline bool nifti_says(std::span<const unsigned char> bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c != 0; });
}

/// The list of extensions in the `count` bytes after the header, or to the end of the file: four
/// bytes of which the first is not zero where there is a list; then of each a length, which holds
/// itself, and a code.
inline void nifti_extensions(GzipReader& file, Nifti& image, std::uint64_t count) {
  constexpr std::uint64_t most = std::uint64_t{1} << 26;
  const bool to_end = count == std::numeric_limits<std::uint64_t>::max();
  const std::vector<unsigned char> all = nifti_bytes(file, std::min(count, most));
  if (!to_end && all.size() < std::min(count, most))
    file.fail("it ends before its elements begin: it is truncated; copy it again");
  if (!to_end) nifti_skip(file, count - all.size());
  if (all.size() < 4) return;
  image.extension_bytes = (to_end ? all.size() : count) - 4;
  const auto number = [&](std::size_t at) {
    std::uint32_t x = 0;
    for (std::size_t i = 0; i < 4; ++i)
      x |= std::uint32_t{all[at + i]} << 8 * (image.big_endian ? 3 - i : i);
    return x;
  };
  std::size_t at = 4;
  while (all[0] != 0 && all.size() - at >= 8) {
    const std::uint32_t size = number(at), code = number(at + 4);
    if (size < 8 || size > all.size() - at || code > 0x7FFFFFFF) break;
    image.extensions.push_back({static_cast<int>(code),
                                {all.begin() + static_cast<std::ptrdiff_t>(at) + 8,
                                 all.begin() + static_cast<std::ptrdiff_t>(at + size)}});
    at += size;
  }
  const std::span<const unsigned char> rest = std::span(all).subspan(at);
  if (nifti_says(rest)) image.extensions.push_back({-1, {rest.begin(), rest.end()}});
}

}  // namespace ebb::data::detail
