#include "inspect.hpp"
#include "metadata.hpp"

#include <ebb/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <string_view>

namespace {

// At most this much of what a compressed text grows to is looked at.
constexpr std::size_t most_inflated = std::size_t{1} << 20;

// A zlib stream, as far as it is sound and small; what is wrong is said.
std::string inflated(const std::string& name, Bytes in) {
  std::string out(most_inflated, '\0');
  z_stream stream = {};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = const_cast<unsigned char*>(in.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  if (result != Z_STREAM_END)
    fact(name, out.size() == most_inflated
                   ? ebb::message("it grows to more than ", most_inflated,
                                  " bytes, and the rest is NOT SHOWN")
                   : std::string("its compressed text is damaged; what can be read:"));
  return out;
}

// "Raw profile type exif" and the like (ImageMagick): a name, a length, and hexadecimal digits.
bool raw_profile(std::string_view keyword, std::string_view text) {
  if (!keyword.starts_with("Raw profile type ")) return false;
  std::vector<unsigned char> bytes;
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  std::size_t at = 0;
  for (int word = 0; word < 2; ++word) {
    while (at < text.size() && blank(text[at])) ++at;
    while (at < text.size() && !blank(text[at])) ++at;
  }
  int half = -1;
  for (; at < text.size(); ++at) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(text[at]);
    if (digit == std::string_view::npos) {
      if (blank(text[at])) continue;
      return false;
    }
    if (half >= 0) bytes.push_back(static_cast<unsigned char>(half << 4 | static_cast<int>(digit)));
    half = half >= 0 ? -1 : static_cast<int>(digit);
  }
  const std::string_view kind = keyword.substr(17);
  const std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  fact(std::string(keyword), ebb::message(bytes.size(), " bytes"));
  const std::size_t skip = raw.starts_with("Exif") && bytes.size() >= 6 ? 6 : 0;
  if (kind == "exif" || kind == "APP1")
    skip > 0 || raw.starts_with("II") || raw.starts_with("MM") ? exif(Bytes(bytes).subspan(skip))
                                                               : free_text("  text", raw);
  else if (raw.starts_with("8BIM"))
    photoshop(bytes);
  else if (kind == "iptc")
    iptc(bytes);
  else if (kind == "xmp")
    free_text("XMP", raw);
  else
    unknown("  profile", bytes);
  return true;
}

// tEXt, zTXt, iTXt: 11.3.3.
void text_chunk(const std::string& kind, Bytes chunk) {
  const std::string_view all(reinterpret_cast<const char*>(chunk.data()), chunk.size());
  const auto end = [&](std::size_t from) { return std::min(all.find('\0', from), all.size()); };
  const std::size_t keyword = end(0);
  const std::string name = ebb::message(kind, " ", all.substr(0, keyword));
  std::size_t at = std::min(keyword + 1, all.size());
  bool compressed = kind == "zTXt";
  if (compressed) at = std::min(at + 1, all.size());
  if (kind == "iTXt") {
    compressed = at < all.size() && all[at] == 1;
    const std::size_t language = end(std::min(at + 2, all.size()));
    at = std::min(end(std::min(language + 1, all.size())) + 1, all.size());
  }
  std::string out;
  if (compressed) out = inflated(name, chunk.subspan(at));
  const std::string_view text = compressed ? std::string_view(out) : all.substr(at);
  if (!raw_profile(all.substr(0, keyword), text)) free_text(name, text);
}

}  // namespace

void png_metadata(Bytes file) {
  static constexpr std::string_view plain =
      "IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB cICP mDCV cLLI sBIT bKGD hIST pHYs acTL fcTL fdAT ";
  std::size_t at = 8;
  bool ended = false;
  while (!ended && at < file.size() && file.size() - at >= 12) {
    const std::size_t length = std::size_t{file[at]} << 24 | std::size_t{file[at + 1]} << 16 |
                               std::size_t{file[at + 2]} << 8 | file[at + 3];
    const std::string kind(file.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                           file.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    if (length > file.size() - at - 12) break;
    const Bytes chunk = file.subspan(at + 8, length);
    const std::size_t name =
        static_cast<std::size_t>(std::find(chunk.begin(), chunk.end(), '\0') - chunk.begin());
    if (kind == "tEXt" || kind == "zTXt" || kind == "iTXt") {
      text_chunk(kind, chunk);
    } else if (kind == "eXIf") {
      exif(chunk);
    } else if (kind == "tIME" && length == 7) {
      fact("changed on", ebb::message(chunk[0] << 8 | chunk[1], "-", int{chunk[2]}, "-",
                                      int{chunk[3]}, " ", int{chunk[4]}, ":", int{chunk[5]}));
    } else if (kind == "iCCP" && name + 2 <= chunk.size()) {
      const std::string profile = inflated("iCCP", chunk.subspan(name + 2));
      unknown("iCCP", {reinterpret_cast<const unsigned char*>(profile.data()), profile.size()});
    } else if (plain.find(kind + " ") == plain.npos) {
      unknown(kind, chunk);
    }
    ended = kind == "IEND";
    at += length + 12;
  }
  if (at < file.size()) unknown("after the image", file.subspan(at));
}
