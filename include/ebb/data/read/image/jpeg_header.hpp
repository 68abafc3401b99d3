/// \file
/// What the markers of a JPEG file say (ITU-T T.81; sections are cited as T.81, n).
#pragma once

#include <ebb/data/read/image/bytes.hpp>
#include <ebb/data/read/image/orientation.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::data::detail {

/// The markers of a JPEG, walked to its end.
class JpegHeader {
 public:
  /// \throws FileError when the file is damaged, ends early, or is of a kind that is not read.
  explicit JpegHeader(const ImageBytes& file) : file_(file) {
    bool whole = false;
    for (std::size_t at = 0; at < file.size() && !whole;) {
      if (file[at++] != 0xFF) continue;
      while (file[at] == 0xFF) ++at;
      const int marker = file[at++];
      if (marker <= 1 || (marker >= 0xD0 && marker <= 0xD8)) continue;  // these have no length
      if (marker == 0xD9)
        whole = true;  // end of image
      else {
        const std::size_t length = std::max(file.big(at, 2), 2u);
        read_segment(marker, at + 2, length - 2);
        at += length;
      }
    }
    if (frame_ == 0) file.damaged("it has no frame");
    if (!whole) file.damaged("it ends before its pixels do");
    if (scans_ > 500) file.damaged("it has more scans than any picture needs");
    if (info.size.area() == 0) file.damaged("its header makes no sense");
  }

  ImageInfo info{};    ///< with the size as stored
  bool adobe = false;  ///< it has Adobe's marker, which tells what its channels mean
  int across[4] = {};  ///< samples of each channel in a line of the smallest unit
  int down[4] = {};    ///< and in a column of it
  int components = 0;  ///< 1 grey, 3 colour, 4 inks

  /// Whether the file is large enough for its pixels: each block of 8 x 8 takes a bit at least.
  void require_pixels() const {
    const Size2 size = info.size;
    const Index blocks = ((size.height + 7) / 8) * ((size.width + 7) / 8);
    if (blocks / 8 > static_cast<Index>(file_.size()))
      file_.damaged("it ends before its pixels do");
  }

 private:
  void read_segment(int marker, std::size_t at, std::size_t length) {
    if (marker == 0xC4)
      read_tables(at, length);
    else if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC8 && marker != 0xCC)
      read_frame(marker, at, length);
    else if (marker == 0xDA)
      read_scan(at);
    else if (marker == 0xE1)
      read_orientation(file_.text(at, length));
    else if (marker == 0xEE && file_.has(at, "Adobe"))
      adobe = true;
  }

  /// EXIF's comes before XMP's.
  void read_orientation(std::string_view segment) {
    constexpr std::string_view exif("Exif\0\0", 6), xmp("http://ns.adobe.com/xap/1.0/\0", 29);
    if (segment.starts_with(exif) && !has_exif_) {
      has_exif_ = true;
      if (const int found = exif_orientation(segment.substr(6)); found != 1)
        info.orientation = found;
    } else if (segment.starts_with(xmp) && info.orientation == 1 && !has_exif_) {
      info.orientation = xmp_orientation(segment);
    }
  }

  /// T.81, B.2.2.
  void read_frame(int marker, std::size_t at, std::size_t length) {
    if (frame_ != 0) file_.damaged("it has two frames");
    frame_ = marker;
    const int bits = file_[at];
    components = file_[at + 5];
    if (marker >= 0xC9) file_.refuse("it is a JPEG with arithmetic coding");
    if (marker == 0xC3) file_.refuse("it is a lossless JPEG");
    if (marker > 0xC2) file_.refuse("it is a hierarchical JPEG");
    if (bits != 8) file_.refuse(message("it is a JPEG with ", bits, " bits a value"));
    if (components != 1 && components != 3 && components != 4)
      file_.refuse(message("it is a JPEG with ", components, " channels"));
    if (length < 6 + 3 * static_cast<std::size_t>(components))
      file_.damaged("its frame is too short");
    info.size = {Index{file_.big(at + 1, 2)}, Index{file_.big(at + 3, 2)}};
    info.channels = components == 1 ? 1 : 3;
    for (int c = 0; c < components; ++c) {
      const int factors = file_[at + 7 + 3 * static_cast<std::size_t>(c)];
      across[c] = factors >> 4;
      down[c] = factors & 15;
      if (across[c] < 1 || across[c] > 4 || down[c] < 1 || down[c] > 4)
        file_.damaged("its header makes no sense");
    }
  }

  /// No Huffman table has more than its 256 codes (T.81, B.2.4.2).
  void read_tables(std::size_t at, std::size_t length) {
    while (length >= 17) {
      std::size_t codes = 0;
      for (std::size_t i = 1; i <= 16; ++i) codes += static_cast<std::size_t>(file_[at + i]);
      if (codes > 256 || codes + 17 > length) file_.damaged("bad Huffman table");
      given_[file_[at] >> 4 & 1][file_[at] & 15] = true;
      at += 17 + codes;
      length -= 17 + codes;
    }
    if (length != 0) file_.damaged("bad Huffman table");
  }

  /// Every scan uses tables that came before it (T.81, B.2.3).
  void read_scan(std::size_t at) {
    if (frame_ == 0) file_.damaged("it has no frame");
    ++scans_;
    const bool progressive = frame_ == 0xC2;
    const auto parts = static_cast<std::size_t>(file_[at]);
    const std::size_t selection = at + 1 + 2 * parts;
    const bool from_first = file_[selection] == 0, refines = file_[selection + 2] >> 4 != 0;
    for (std::size_t part = 0; part < parts; ++part) {
      const int tables = file_[at + 2 + 2 * part];
      if (((!progressive || (from_first && !refines)) && !given_[0][tables >> 4]) ||
          ((!progressive || !from_first) && !given_[1][tables & 15]))
        file_.damaged("bad Huffman table");
    }
  }

  const ImageBytes& file_;
  int frame_ = 0, scans_ = 0;
  bool has_exif_ = false;
  bool given_[2][16] = {};  // tables for the first coefficient of a block, for the others
};

}  // namespace ebb::data::detail
