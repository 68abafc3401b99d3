/// \file
/// How an image must be turned to be upright, as cameras note it: EXIF's numbers 1 to 8.
#pragma once

#include <ebb/core/config.hpp>

#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>

namespace ebb::inline EBB_ABI::data::detail {

/// The orientation in EXIF data, which is a TIFF file of its own (EXIF 2.32, 4.5.2, tag 0x0112); 1
/// where it is not said or makes no sense.
inline int exif_orientation(std::string_view tiff) {
  const bool big = tiff.starts_with("MM");
  if (tiff.size() < 8 || !(big || tiff.starts_with("II"))) return 1;
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | static_cast<unsigned char>(tiff[at + (big ? i : bytes - 1 - i)]);
    return value;
  };
  const std::size_t from = number(4, 4);
  if (from + 2 > tiff.size()) return 1;
  const std::size_t count = number(from, 2);
  for (std::size_t i = 0; i < count && from + 2 + 12 * (i + 1) <= tiff.size(); ++i) {
    const std::size_t entry = from + 2 + 12 * i;
    if (number(entry, 2) != 0x0112 || number(entry + 2, 2) != 3) continue;  // 3: of 16 bits
    const auto orientation = static_cast<int>(number(entry + 8, 2));
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

/// The same in XMP data (ISO 16684-1): tiff:Orientation as an attribute or an element.
inline int xmp_orientation(std::string_view xmp) {
  constexpr std::string_view name = "tiff:Orientation";
  const std::size_t at = xmp.find(name);
  if (at == xmp.npos) return 1;
  std::string_view rest = xmp.substr(at + name.size());
  rest.remove_prefix(rest.starts_with("=\"") ? 2 : rest.starts_with(">") ? 1 : rest.size());
  return !rest.empty() && rest[0] >= '1' && rest[0] <= '8' ? rest[0] - '0' : 1;
}

/// The same in ImageMagick's "Raw profile": a name, a length, and EXIF data in hexadecimal.
inline int profile_orientation(std::string_view profile) {
  const std::size_t tiff = profile.find("457869660000");  // "Exif", two zeros
  if (tiff == profile.npos) return 1;
  std::string bytes;
  int half = -1;
  for (const char c : profile.substr(tiff + 12)) {
    const int lower = std::tolower(static_cast<unsigned char>(c));
    const int digit = lower >= '0' && lower <= '9'   ? lower - '0'
                      : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                     : -1;
    if (digit < 0) continue;  // lines end
    if (half >= 0) bytes += static_cast<char>(half << 4 | digit);
    half = half >= 0 ? -1 : digit;
  }
  return exif_orientation(bytes);
}

}  // namespace ebb::data::detail
