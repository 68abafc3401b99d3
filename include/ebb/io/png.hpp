/// \file
/// Pictures as PNG, encoded by stb_image_write. Not part of <ebb/io.hpp>, which does without stb.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/io/atomic_file.hpp>
#include <ebb/io/stb_image_write.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::io {

/// The bytes of a PNG file: 8 bits per channel, grey (1 channel) or colour (3), rows from the top,
/// channels interleaved. \throws ValueError when the pixels are not width height channels many.
inline std::string encode_png(int width, int height, int channels,
                              const std::vector<std::uint8_t>& pixels) {
  if ((channels != 1 && channels != 3) || width < 1 || height < 1 ||
      pixels.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                           static_cast<std::size_t>(channels))
    throw ValueError(message("encode_png: a picture of ", width, " by ", height, " with ", channels,
                             " channels came with ", pixels.size(),
                             " bytes; it takes 1 or 3 channels, and a byte for each"));
  std::string png;
  const auto collect = [](void* to, void* bytes, int length) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes),
                                          static_cast<std::size_t>(length));
  };
  if (!ebb_stb::stbi_write_png_to_func(collect, &png, width, height, channels, pixels.data(),
                                       width * channels))
    throw FileError("encode_png: the picture cannot be encoded as PNG");
  return png;
}

/// Writes a PNG file, whole or not at all. \throws ValueError as `encode_png`, FileError when it
/// cannot be written.
inline void write_png(const std::string& path, int width, int height, int channels,
                      const std::vector<std::uint8_t>& pixels) {
  const std::string png = encode_png(width, height, channels, pixels);
  AtomicFile file(path);
  file.write(png.data(), png.size());
  file.commit();
}

}  // namespace ebb::io
