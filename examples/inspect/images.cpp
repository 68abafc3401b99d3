#include "inspect.hpp"
#include "metadata.hpp"

#include <ebb/data/read/image_file.hpp>

#include <cstdio>
#include <filesystem>

namespace data = ebb::data;

namespace {

void picture(const std::string& path, const std::vector<unsigned char>& file) {
  const data::ImageInfo info = data::image_info(path);
  const bool png = file[0] == 0x89, jpeg = file[0] == 0xFF;
  static constexpr const char* what[] = {"", "grey", "grey and alpha", "colour",
                                         "colour and alpha"};
  fact("kind", png ? "PNG image" : jpeg ? "JPEG image (lossy)" : "BMP image");
  fact("size", ebb::message(info.size.height, " x ", info.size.width, " (rows x columns)"));
  fact("channels", ebb::message(info.channels, " (", what[info.channels], ")"));
  if (png && file.size() > 25) {
    fact("bits", ebb::message(int{file[24]}, file[25] == 3 ? ", through a palette" : "",
                              file[24] == 16 ? "; read_image keeps 8" : ""));
  }
  if (info.orientation != 1)
    fact("orientation",
         ebb::message("turned upright, as its EXIF data ask (", info.orientation, ")"));
  const data::ByteImage pixels = data::read_image(path);
  fact("values",
       range(pixels.size(), [&](ebb::Index i) { return static_cast<double>(pixels.data()[i]); }));
}

}  // namespace

void inspect_image(const std::string& path) {
  std::error_code unread;
  if (std::filesystem::file_size(path, unread) > most_bytes && !unread)
    throw ebb::FileError(ebb::message("'", path, "': it has more than ", most_bytes,
                                      " bytes, too many for a picture"));
  const std::vector<unsigned char> file = data::detail::read_bytes("inspect", path);
  const bool png = file[0] == 0x89, jpeg = file[0] == 0xFF;
  std::string why;  // what stands beside the pixels is listed also where they cannot be decoded
  try {
    picture(path, file);
  } catch (const ebb::Error& error) {
    why = error.what();
  }
  std::printf("  beside the pixels (look for names in it)\n");
  if (png) png_metadata(file);
  if (jpeg) jpeg_metadata(file);
  // Of a BMP its header says where it ends (BITMAPFILEHEADER, bfSize).
  const std::size_t end = file.size() < 6
                              ? 0
                              : std::size_t{file[2]} | std::size_t{file[3]} << 8 |
                                    std::size_t{file[4]} << 16 | std::size_t{file[5]} << 24;
  if (!png && !jpeg && end < file.size()) unknown("after the image", Bytes(file).subspan(end));
  if (!why.empty()) throw ebb::FileError(why);
}
