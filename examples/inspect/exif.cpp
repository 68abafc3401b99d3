#include "inspect.hpp"
#include "metadata.hpp"

#include <ebb/data/read/printable.hpp>

#include <optional>
#include <set>

namespace data = ebb::data;

namespace {

struct Name {
  unsigned tag;
  const char* name;
};
constexpr Name names[] = {{0x010D, "DocumentName"},
                          {0x010E, "ImageDescription"},
                          {0x010F, "Make"},
                          {0x0110, "Model"},
                          {0x0131, "Software"},
                          {0x0132, "DateTime"},
                          {0x013B, "Artist"},
                          {0x013C, "HostComputer"},
                          {0x02BC, "XMP"},
                          {0x8298, "Copyright"},
                          {0x9003, "DateTimeOriginal"},
                          {0x9004, "DateTimeDigitized"},
                          {0x927C, "MakerNote"},
                          {0x9286, "UserComment"},
                          {0x9C9B, "XPTitle"},
                          {0x9C9C, "XPComment"},
                          {0x9C9D, "XPAuthor"},
                          {0x9C9E, "XPKeywords"},
                          {0x9C9F, "XPSubject"},
                          {0xA420, "ImageUniqueID"},
                          {0xA430, "CameraOwnerName"},
                          {0xA431, "BodySerialNumber"},
                          {0xA434, "LensModel"},
                          {0xA435, "LensSerialNumber"}};

// Directories of a block, each once, with every place checked.
class Tiff {
 public:
  explicit Tiff(Bytes block) : block_(block) {}

  void print() {
    const bool little = block_.size() >= 8 && block_[0] == 'I' && block_[1] == 'I';
    big_ = !little;
    if (block_.size() < 8 || (!little && (block_[0] != 'M' || block_[1] != 'M')) ||
        number(2, 2) != 42)
      return unknown("EXIF, damaged", block_);
    fact("EXIF", ebb::message(block_.size(), " bytes of camera data"));
    directory(number(4, 4), "");
    if (numbers_ > 0) fact("  numbers", ebb::message(numbers_, " settings of the camera"));
  }

 private:
  std::uint32_t number(std::size_t at, std::size_t bytes) const {
    std::uint32_t x = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      x |= std::uint32_t{block_[at + i]} << 8 * (big_ ? bytes - 1 - i : i);
    return x;
  }
  bool holds(std::uint64_t at, std::uint64_t bytes) const {
    return at <= block_.size() && bytes <= block_.size() - at;
  }

  void directory(std::uint64_t at, const std::string& of) {
    while (at != 0) {
      if (!holds(at, 2) || !seen_.insert(at).second || seen_.size() > 64) return damaged(at);
      const std::uint64_t count = number(at, 2);
      if (!holds(at + 2, 12 * count)) return damaged(at);
      for (std::uint64_t i = 0; i < count; ++i) entry(at + 2 + 12 * i, of);
      const std::uint64_t next = at + 2 + 12 * count;
      at = holds(next, 4) ? number(next, 4) : 0;
      if (at != 0) fact("  thumbnail", "a small copy of the picture, perhaps of before it was cut");
    }
  }
  void damaged(std::uint64_t at) {
    fact("  damaged",
         ebb::message("its directory at byte ", at, " cannot be followed; all of it:"));
    unknown("  EXIF", block_);
  }

  void entry(std::uint64_t at, const std::string& of) {
    static constexpr std::uint64_t width[] = {1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
    const unsigned tag = number(at, 2), type = number(at + 2, 2);
    const std::uint64_t size =
        std::uint64_t{number(at + 4, 4)} * (type < std::size(width) ? width[type] : 1);
    const std::uint64_t place = size <= 4 ? at + 8 : number(at + 8, 4);
    if (of.empty() && (tag == 0x8769 || tag == 0x8825 || tag == 0xA005))
      return directory(number(at + 8, 4), tag == 0x8825 ? "GPS " : "Exif ");
    if (of == "Exif " && tag == 0xA005) return directory(number(at + 8, 4), "Interoperability ");
    const std::string name = "  " + of + named(tag);
    if (!holds(place, size)) return fact(name, "its place is beyond the end; it is damaged");
    const Bytes value = block_.subspan(place, size);
    if (of != "GPS ") {
      if (tag == 0x83BB) return iptc(value);
      if (tag == 0x8649) return photoshop(value);
    }
    const bool text = type == 2 || type == 129 || tag == 0x02BC;
    if (!text && type != 1 && type != 7 && of != "GPS ") return void(++numbers_);
    if (size > left_)
      return fact(name, ebb::message(size, " bytes, not shown: there are too many"));
    left_ -= size;
    if (text) return free_text(name, {reinterpret_cast<const char*>(value.data()), value.size()});
    if (of == "GPS " && (type == 5 || type == 10)) return fact(name, fractions(place, size / 8));
    if (size > 4) return unknown(name, value);
    ++numbers_;
  }

  std::string fractions(std::uint64_t place, std::uint64_t count) const {
    std::string text;
    for (std::uint64_t i = 0; i < count; ++i) {
      const double over = number(place + 8 * i, 4), under = number(place + 8 * i + 4, 4);
      text += ebb::message(i > 0 ? " " : "", under != 0 ? over / under : 0);
    }
    return text;
  }
  static std::string named(unsigned tag) {
    for (const Name& n : names)
      if (n.tag == tag) return n.name;
    char text[16];
    std::snprintf(text, sizeof text, "0x%04X", tag);
    return text;
  }

  Bytes block_;
  bool big_ = false;
  std::set<std::uint64_t> seen_;
  int numbers_ = 0;
  std::uint64_t left_ = 1 << 20;  // entries may claim the same bytes again and again
};

}  // namespace

void exif(Bytes block) { Tiff(block).print(); }

void iptc(Bytes block) {
  static constexpr Name datasets[] = {
      {5, "ObjectName"},   {25, "Keywords"},         {40, "SpecialInstructions"},
      {55, "DateCreated"}, {80, "By-line"},          {90, "City"},
      {101, "Country"},    {105, "Headline"},        {110, "Credit"},
      {115, "Source"},     {116, "CopyrightNotice"}, {118, "Contact"},
      {120, "Caption"},    {122, "Writer"}};
  std::size_t at = 0;
  while (block.size() - at >= 5 && block[at] == 0x1C) {
    const int record = block[at + 1], dataset = block[at + 2];
    std::size_t length = std::size_t{block[at + 3]} << 8 | block[at + 4];
    at += 5;
    if (length > 0x7FFF) {  // the length of a longer length
      const std::size_t bytes = length & 0x7FFF;
      if (bytes > 4 || bytes > block.size() - at) break;
      length = 0;
      for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | block[at++];
    }
    if (length > block.size() - at) break;
    std::string name = ebb::message("  ", record, ":", dataset);
    for (const Name& n : datasets)
      if (record == 2 && n.tag == static_cast<unsigned>(dataset)) name = ebb::message("  ", n.name);
    free_text("IPTC" + name, {reinterpret_cast<const char*>(block.data() + at), length});
    at += length;
  }
  if (at < block.size()) unknown("IPTC, the rest", block.subspan(at));
}

void photoshop(Bytes block) {
  std::size_t at = 0;
  while (block.size() - at >= 12 &&
         std::string(block.begin() + static_cast<std::ptrdiff_t>(at),
                     block.begin() + static_cast<std::ptrdiff_t>(at) + 4) == "8BIM") {
    const unsigned id = unsigned{block[at + 4]} << 8 | block[at + 5];
    const std::size_t name = (block[at + 6] + 2u) & ~1u;  // with its length, of even size
    if (block.size() - at < 10 + name) break;
    const std::size_t place = at + 6 + name;
    const std::size_t length = std::size_t{block[place]} << 24 |
                               std::size_t{block[place + 1]} << 16 |
                               std::size_t{block[place + 2]} << 8 | block[place + 3];
    if (length > block.size() - place - 4) break;
    const Bytes value = block.subspan(place + 4, length);
    if (block[at + 6] > 0) unknown("resource's name", block.subspan(at + 7, block[at + 6]));
    if (id == 0x0404)
      iptc(value);
    else if (id == 0x0422 || id == 0x0423)
      exif(value);
    else if (id == 0x0409 || id == 0x040C)
      fact("thumbnail", "a small copy of the picture, perhaps of before it was cut");
    else
      unknown(ebb::message("resource ", id), value);
    at = place + 4 + length;
    if (length % 2 == 1 && at < block.size()) ++at;
  }
  if (at < block.size()) unknown("resources, the rest", block.subspan(at));
}
