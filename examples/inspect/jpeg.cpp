#include "inspect.hpp"
#include "metadata.hpp"

#include <string_view>
#include <vector>

namespace {

// An application's segment, by the name it begins with; Photoshop's may go on in several.
void application(int number, Bytes segment, std::vector<unsigned char>& resources) {
  const std::string_view text(reinterpret_cast<const char*>(segment.data()), segment.size());
  const auto begins = [&](std::string_view name) { return text.starts_with(name); };
  constexpr std::string_view xmp("http://ns.adobe.com/xap/1.0/\0", 29),
      more_xmp("http://ns.adobe.com/xmp/extension/\0", 35), camera("Exif\0", 5),
      photo("Photoshop 3.0\0", 14);
  if (number == 1 && begins(camera) && segment.size() >= 6) return exif(segment.subspan(6));
  if (number == 1 && begins(xmp)) return free_text("XMP", text.substr(xmp.size()));
  if (number == 1 && begins(more_xmp) && text.size() >= more_xmp.size() + 40)
    return free_text("XMP, more", text.substr(more_xmp.size() + 40));
  if (number == 13 && begins(photo)) {
    resources.insert(resources.end(), segment.begin() + static_cast<std::ptrdiff_t>(photo.size()),
                     segment.end());
    return;
  }
  if (number == 0 && begins(std::string_view("JFIF\0", 5)) && segment.size() <= 14) return;
  if (number == 14 && begins("Adobe") && segment.size() <= 12) return;
  unknown(ebb::message("APP", number), segment);
}

// One image, from its first marker on; returns where it ends.
std::size_t image(Bytes file, std::size_t at) {
  std::vector<unsigned char> resources;
  bool ended = false;
  for (at += 2; !ended && file.size() - at >= 2;) {
    const int marker = file[at + 1];
    if (file[at] != 0xFF || marker == 0xFF) {  // of a coded line, or a fill byte
      ++at;
      continue;
    }
    if (marker == 0 || marker == 1 || (marker >= 0xD0 && marker <= 0xD9)) {
      ended = marker == 0xD9;
      at += 2;
      continue;
    }
    const std::size_t length =
        file.size() - at >= 4 ? std::size_t{file[at + 2]} << 8 | file[at + 3] : 0;
    if (length < 2 || length > file.size() - at - 2) break;
    const Bytes segment = file.subspan(at + 4, length - 2);
    if (marker >= 0xE0 && marker <= 0xEF) application(marker - 0xE0, segment, resources);
    if (marker == 0xFE)
      free_text("comment", {reinterpret_cast<const char*>(segment.data()), segment.size()});
    at += 2 + length;
  }
  if (!resources.empty()) photoshop(resources);
  return at;
}

}  // namespace

void jpeg_metadata(Bytes file) {
  std::size_t at = 0;
  for (int images = 0; images < 64 && file.size() - at >= 2; ++images) {
    if (file[at] != 0xFF || file[at + 1] != 0xD8) break;
    if (images > 0) fact("another image", ebb::message("behind the first, at byte ", at));
    at = image(file, at);
  }
  if (at < file.size()) unknown("after the image", file.subspan(at));
}
