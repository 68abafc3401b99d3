/// \file
/// Image files for tests.
#pragma once

#include <ebb/data/read/image_file.hpp>

#if __has_include(<stb/stb_image_write.h>)
#  include <stb/stb_image_write.h>
#else
#  include <stb_image_write.h>
#endif

namespace ebb::test {

/// Writes an image as .png, .jpg or .bmp, whatever the path ends with.
inline void write_image(const std::string& path, const data::ByteImage& x) {
  const int channels = static_cast<int>(x.extent(0)), height = static_cast<int>(x.extent(1)),
            width = static_cast<int>(x.extent(2));
  std::vector<std::uint8_t> pixels;
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j)
      for (Index c = 0; c < channels; ++c) pixels.push_back(x(c, i, j));
  const std::string kind = path.substr(path.size() - 3);
  if (kind == "png") stbi_write_png(path.c_str(), width, height, channels, pixels.data(), 0);
  if (kind == "jpg") stbi_write_jpg(path.c_str(), width, height, channels, pixels.data(), 95);
  if (kind == "bmp") stbi_write_bmp(path.c_str(), width, height, channels, pixels.data());
}

/// A smooth picture that a JPEG keeps nearly as it is.
inline data::ByteImage picture(Index channels, Index height, Index width) {
  data::ByteImage x({channels, height, width});
  for (Index c = 0; c < channels; ++c)
    for (Index i = 0; i < height; ++i)
      for (Index j = 0; j < width; ++j)
        x(c, i, j) = static_cast<std::uint8_t>(40 * c + 100 * i / height + 60 * j / width);
  return x;
}

}  // namespace ebb::test
