#include "inspect.hpp"

#include <ebb/data/image_file.hpp>
#include <ebb/data/nifti.hpp>

#include <cstdio>

namespace data = ebb::data;

namespace {

// Texts and camera data that a PNG carries beside its pixels (PNG specification, 11.3.3
// and 11.3.2).
void png_texts(const std::vector<unsigned char>& file) {
  for (std::size_t at = 8; file.size() - at >= 12 && at < file.size();) {
    const std::size_t length = std::size_t{file[at]} << 24 | std::size_t{file[at + 1]} << 16 |
                               std::size_t{file[at + 2]} << 8 | file[at + 3];
    const std::string kind(file.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                           file.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    if (length > file.size() - at - 12) return;
    if (kind == "tEXt" || kind == "zTXt" || kind == "iTXt" || kind == "eXIf") {
      std::string text(
          file.begin() + static_cast<std::ptrdiff_t>(at) + 8,
          file.begin() + static_cast<std::ptrdiff_t>(at + 8 + std::min<std::size_t>(length, 100)));
      if (kind == "zTXt") text.erase(std::min(text.find('\0'), text.size()));
      fact(kind, kind == "eXIf" ? ebb::message(length, " bytes (place, time, camera)") : text);
    }
    at += length + 12;
  }
}

// The same of a JPEG: EXIF and comments (ITU-T T.81, B.2.4.5 and B.2.4.6).
void jpeg_texts(const std::vector<unsigned char>& file) {
  for (std::size_t at = 2; at + 4 <= file.size() && file[at] == 0xFF;) {
    const int marker = file[at + 1];
    const std::size_t length = std::size_t{file[at + 2]} << 8 | file[at + 3];
    if (marker == 0xDA || length < 2) return;
    if (marker == 0xE1)
      fact("APP1", ebb::message(length - 2, " bytes (EXIF: place, time, camera)"));
    if (marker == 0xFE) fact("comment", ebb::message(length - 2, " bytes"));
    at += 2 + length;
  }
}

}  // namespace

void inspect_image(const std::string& path) {
  const data::ImageInfo info = data::image_info(path);
  const std::vector<unsigned char> file = data::detail::read_bytes("inspect", path);
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
  const data::ByteImage pixels = data::read_image(path);
  fact("values",
       range(pixels.size(), [&](ebb::Index i) { return static_cast<double>(pixels.data()[i]); }));
  if (png) png_texts(file);
  if (jpeg) jpeg_texts(file);
}

void inspect_nifti(const std::string& path) {
  const data::Nifti image = data::read_nifti(path);
  fact("kind",
       ebb::message("NIfTI-", image.version, " image", image.big_endian ? ", big-endian" : ""));
  fact("shape", shape_text(image.shape) + " (x, y, z, ...)");
  fact("type", to_string(image.stored.type));
  std::string size;
  for (std::size_t i = 0; i < image.voxel_size.size() && i < 3; ++i)
    size += ebb::message(i > 0 ? " x " : "", image.voxel_size[i]);
  fact("voxel size", size + " " + image.space_unit);
  if (image.voxel_size.size() > 3)
    fact("step in time", ebb::message(image.voxel_size[3], " ", image.time_unit));
  fact("orientation", "from " + image.affine_from);
  fact("values", range(image.stored.size(), [&](ebb::Index i) {
         return image.slope * image.stored_value(i) + image.intercept;
       }));
  if (image.slope != 1 || image.intercept != 0)
    fact("scaling", scaling_text(image.slope, image.intercept));
  if (image.texts.empty() && image.extension_bytes == 0)
    fact("free texts", "none in the header");
  else
    std::printf("  may identify a person (look for names and numbers)\n");
  for (const auto& [name, text] : image.texts) fact("  " + name, text);
  if (image.extension_bytes > 0)
    fact("  extensions", ebb::message(image.extension_bytes, " bytes after the header, unread"));
}
