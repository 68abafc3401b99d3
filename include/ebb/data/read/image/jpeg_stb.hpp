/// \file
/// JPEG by stb_image, where there is no libjpeg-turbo. What it reads wrongly is refused.
#pragma once

#include <ebb/data/read/image/jpeg_header.hpp>
#include <ebb/data/read/image/lines.hpp>
#include <ebb/data/read/stb_image.hpp>

namespace ebb::inline EBB_ABI::data::detail {

/// Decodes the lines of a JPEG. \throws FileError when it is damaged, or stb_image 2.27 would read
/// it wrongly: it interpolates the last columns of colours of half the width (4:2:2) from the wrong
/// neighbours, and takes inks without Adobe's marker for colours.
template <class T>
void decode_jpeg_stb(const ImageBytes& file, const JpegHeader& header, ImageLines<T>& lines) {
  const auto refuse = [&](const char* what) {
    file.fail(message(what, ", which stb_image reads wrongly; build with libjpeg-turbo (Debian: ",
                      "apt-get install libjpeg-dev), or convert it to PNG"));
  };
  const int across = *std::max_element(header.across, header.across + header.components),
            down = *std::max_element(header.down, header.down + header.components);
  for (int c = 0; c < header.components; ++c)
    if (2 * header.across[c] == across && header.down[c] == down)
      refuse("its colours have half the width of the image (4:2:2)");
    else if (across % header.across[c] != 0 || down % header.down[c] != 0)
      refuse("the width of one channel is no whole part of another's");
  if (header.components == 4 && !header.adobe) refuse("it has four channels and no word of which");

  struct Free {
    void operator()(unsigned char* pixels) const { ebb_stb::ebb_stbi_image_free(pixels); }
  };
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<unsigned char, Free> pixels(ebb_stb::ebb_stbi_load_from_memory(
      file.data(), static_cast<int>(file.size()), &width, &height, &channels, 0));
  if (!pixels) file.damaged(ebb_stb::ebb_stbi_failure_reason());
  if (!(Size2{height, width} == header.info.size) || channels != header.info.channels)
    file.damaged("its header makes no sense");
  for (Index y = 0; y < height; ++y)
    lines.put(y, pixels.get() + y * width * channels, channels, width);
}

}  // namespace ebb::data::detail
