/// \file
/// PNG files for tests, of any bits a value: io/png.hpp writes 8.
#pragma once

#include <ebb/core/size2.hpp>

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/train/files.hpp"

namespace ebb::test {

inline void append_big_endian(std::string& to, std::uint32_t big_endian) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(big_endian >> shift & 255);
}

inline std::string finished_chunk(std::string text) {
  std::string all;
  append_big_endian(all, static_cast<std::uint32_t>(text.size() - 4));
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  append_big_endian(text, static_cast<std::uint32_t>(sum));
  return all + text;
}

/// A PNG: its size, the bits of a value, the colour type of the standard (PNG, 11.2.2), the
/// palette, and the bytes of its lines, filters and all.
inline std::string png_of(Size2 size, char bits, char kind, const std::string& palette,
                          const std::string& lines) {
  std::string header = "IHDR";
  append_big_endian(header, static_cast<std::uint32_t>(size.width));
  append_big_endian(header, static_cast<std::uint32_t>(size.height));
  header += bits;
  header += kind;
  header += std::string(3, '\0');
  std::string data(compressBound(static_cast<uLong>(lines.size())), '\0');
  uLongf length = data.size();
  REQUIRE(compress2(reinterpret_cast<Bytef*>(data.data()), &length,
                    reinterpret_cast<const Bytef*>(lines.data()), static_cast<uLong>(lines.size()),
                    1) == Z_OK);
  data.resize(length);
  return "\x89PNG\r\n\x1a\n" + finished_chunk(header) +
         (palette.empty() ? "" : finished_chunk("PLTE" + palette)) + finished_chunk("IDAT" + data) +
         finished_chunk("IEND");
}

/// Writes a grey PNG with 16 bits a value.
inline void write_deep_png(const std::string& path, Size2 size,
                           const std::vector<std::uint16_t>& pixels) {
  std::string lines;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (i % static_cast<std::size_t>(size.width) == 0) lines += '\0';  // no filter
    lines += static_cast<char>(pixels[i] >> 8);
    lines += static_cast<char>(pixels[i] & 255);
  }
  write_file(path, png_of(size, 16, 0, "", lines));
}

}  // namespace ebb::test
