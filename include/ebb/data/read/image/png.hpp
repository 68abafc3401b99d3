/// \file
/// PNG files (PNG Specification, third edition; sections are cited as PNG, n): zlib unpacks, lines
/// are unfiltered one at a time. Every chunk's checksum is looked at.
#pragma once

#include <ebb/data/read/image/bytes.hpp>
#include <ebb/data/read/image/lines.hpp>
#include <ebb/data/read/image/orientation.hpp>
#include <ebb/data/read/zlib_library.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace ebb::inline EBB_ABI::data::detail {

/// Unpacks the pixel data of a PNG, which may lie in many chunks.
class PngInflater {
 public:
  struct Piece {
    std::size_t begin, size;
  };
  PngInflater(const ImageBytes& file, const std::vector<Piece>& pieces)
      : file_(file), pieces_(pieces) {
    if (inflateInit(&stream_) != Z_OK) file.fail("zlib does not start");
  }
  PngInflater(const PngInflater&) = delete;
  PngInflater& operator=(const PngInflater&) = delete;
  ~PngInflater() { inflateEnd(&stream_); }

  void read(unsigned char* to, std::size_t size) {
    stream_.next_out = to;
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out > 0) {
      while (stream_.avail_in == 0) {
        if (next_ == pieces_.size()) file_.damaged("it ends before its pixels do");
        const Piece& piece = pieces_[next_++];
        stream_.next_in = const_cast<unsigned char*>(file_.data() + piece.begin);
        stream_.avail_in = static_cast<uInt>(piece.size);
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END && stream_.avail_out > 0)
        file_.damaged("it ends before its pixels do");
      if (result != Z_OK && result != Z_STREAM_END) file_.damaged("it does not unpack");
    }
  }

 private:
  const ImageBytes& file_;
  const std::vector<Piece>& pieces_;
  std::size_t next_ = 0;
  z_stream stream_ = {};
};

/// Undoes the filter of a line (PNG, 9.2); `before` is the line above it, `pixel` the bytes of one
/// pixel, at least 1. \returns false when there is no such filter.
inline bool png_unfilter(int filter, std::vector<unsigned char>& line,
                         const std::vector<unsigned char>& before, std::size_t pixel) {
  const auto add = [](unsigned char& to, int value) {
    to = static_cast<unsigned char>(to + value);
  };
  for (std::size_t i = 0; i < line.size() && filter != 0; ++i) {
    const int left = i < pixel ? 0 : line[i - pixel], up = before[i];
    if (filter == 1) {
      add(line[i], left);
    } else if (filter == 2) {
      add(line[i], up);
    } else if (filter == 3) {
      add(line[i], (left + up) / 2);
    } else {  // Paeth's: the neighbour closest to left + up - corner
      const int corner = i < pixel ? 0 : before[i - pixel];
      const int a = std::abs(up - corner), b = std::abs(left - corner),
                c = std::abs(left + up - 2 * corner);
      add(line[i], a <= b && a <= c ? left : b <= c ? up : corner);
    }
  }
  return filter <= 4;
}

class PngDecoder {
 public:
  /// Walks the chunks. \throws FileError when one is damaged, or the header makes no sense.
  explicit PngDecoder(const ImageBytes& file) : file_(file) {
    std::size_t at = 8;  // after the signature
    while (file.size() - at >= 8) {
      const std::size_t length = file.big(at, 4), data = at + 8;
      if (file.size() - data < 4 || length > file.size() - data - 4)
        file.damaged("a chunk that reaches beyond the file");
      if (crc32_z(0, file.data() + at + 4, length + 4) != file.big(data + length, 4))
        file.damaged("the checksum of a chunk is wrong");
      if (at == 8)
        read_header(data, length);
      else if (file.has(at + 4, "PLTE"))
        read_palette(data, length);
      else if (file.has(at + 4, "IDAT"))
        pieces_.push_back({data, length});
      else if (file.has(at + 4, "tRNS"))
        transparent_ = true;
      else if (file.has(at + 4, "eXIf"))
        turn(exif_orientation(file.text(data, length)));
      else if (file.has(at + 4, "iTXt") && file.has(data, "XML:com.adobe.xmp"))
        turn(xmp_orientation(file.text(data, length)));
      else if (file.has(at + 4, "zTXt") && length > 23 && file.has(data, "Raw profile type exif"))
        turn(profile_orientation(unpacked(data + 23, length - 23)));
      else if (file.has(at + 4, "tEXt") && file.has(data, "Raw profile type exif"))
        turn(profile_orientation(file.text(data, length)));
      else if (file.has(at + 4, "IEND"))
        break;
      else if ((file[at + 4] & 0x20) == 0)  // an upper case letter: PNG, 5.4
        file.refuse("it has a chunk of an unknown kind that matters");
      at = data + length + 4;
    }
    if (info.bits == 0) file.damaged("it ends within its header");
    if (kind_ == 3 && palette_.empty()) file.damaged("it has no palette");
    if (transparent_ && info.channels % 2 == 1) ++info.channels;
  }

  ImageInfo info{{}, 0, 0};  ///< with the size as stored

  /// Whether the file is large enough for its pixels; deflate codes 258 bytes in 2 bits at best.
  void require_pixels() const {
    std::size_t stored = 0;
    for (const auto& piece : pieces_) stored += piece.size;
    if (static_cast<std::size_t>(info.size.height) * line_bytes(info.size.width) / 1032 > stored)
      file_.damaged("it ends before its pixels do");
  }

  template <class T>
  void decode(ImageLines<T>& lines) const {
    PngInflater data(file_, pieces_);
    if (!interlaced_) return decode_pass(data, {0, 0, 1, 1}, lines);
    // Adam7: PNG, 8.1.
    for (const Pass& pass : {Pass{0, 0, 8, 8}, Pass{4, 0, 8, 8}, Pass{0, 4, 4, 8}, Pass{2, 0, 4, 4},
                             Pass{0, 2, 2, 4}, Pass{1, 0, 2, 2}, Pass{0, 1, 1, 2}})
      decode_pass(data, pass, lines);
  }

 private:
  struct Pass {
    Index x, y, columns, rows;  ///< the first pixel, and the steps to the next
  };

  void read_header(std::size_t at, std::size_t length) {
    if (!file_.has(at - 4, "IHDR") || length != 13)
      file_.damaged("it does not begin with a header");
    info.size = {Index{file_.big(at + 4, 4)}, Index{file_.big(at, 4)}};
    info.bits = bits_ = file_[at + 8];
    kind_ = file_[at + 9];
    interlaced_ = file_[at + 12] == 1;
    constexpr int samples[7] = {1, 0, 3, 1, 2, 0, 4};
    samples_ = kind_ < 7 ? samples[kind_] : 0;
    const bool power = bits_ == 1 || bits_ == 2 || bits_ == 4 || bits_ == 8 || bits_ == 16;
    if (samples_ == 0 || !power || (bits_ < 8 && kind_ != 0 && kind_ != 3) ||
        (bits_ == 16 && kind_ == 3) || file_.big(at + 10, 2) != 0 || file_[at + 12] > 1 ||
        info.size.height < 1 || info.size.width < 1)
      file_.damaged("its header makes no sense");
    info.bits = std::max(bits_, 8);
    info.channels = kind_ == 3 ? 3 : samples_;
  }

  /// The first word on how to turn the image counts.
  void turn(int orientation) {
    if (info.orientation == 1) info.orientation = orientation;
  }

  /// The beginning of a packed text, whatever is wrong with it: 64 KiB, as much as EXIF data has.
  std::string unpacked(std::size_t at, std::size_t length) const {
    std::string text(std::size_t{1} << 17, '\0');  // two digits a byte
    z_stream stream = {};
    if (inflateInit(&stream) != Z_OK) return {};
    stream.next_in = const_cast<unsigned char*>(file_.data() + at);
    stream.avail_in = static_cast<uInt>(length);
    stream.next_out = reinterpret_cast<unsigned char*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    inflate(&stream, Z_FINISH);
    text.resize(stream.total_out);
    inflateEnd(&stream);
    return text;
  }

  void read_palette(std::size_t at, std::size_t length) {
    if (length % 3 != 0 || length > 768) file_.damaged("a palette of no whole colours");
    palette_.assign(file_.data() + at, file_.data() + at + length);
    palette_.resize(768);  // colours beyond are black, as browsers and Pillow have them
  }

  std::size_t line_bytes(Index columns) const {
    return (static_cast<std::size_t>(columns * samples_ * bits_) + 7) / 8;
  }

  template <class T>
  void decode_pass(PngInflater& data, const Pass& pass, ImageLines<T>& lines) const {
    const Index columns = (info.size.width - pass.x + pass.columns - 1) / pass.columns;
    if (columns < 1) return;
    const std::size_t pixel =
        std::max<std::size_t>(1, static_cast<std::size_t>(samples_ * bits_ / 8));
    std::vector<unsigned char> line(line_bytes(columns)), before(line.size());
    std::vector<unsigned char> shades;
    std::vector<std::uint16_t> deep;
    for (Index y = pass.y; y < info.size.height; y += pass.rows) {
      unsigned char filter;
      data.read(&filter, 1);
      data.read(line.data(), line.size());
      if (!png_unfilter(filter, line, before, pixel)) file_.damaged("a line of an unknown filter");
      if (bits_ == 16) {
        deep.resize(line.size() / 2);
        for (std::size_t i = 0; i < deep.size(); ++i)
          deep[i] = static_cast<std::uint16_t>(line[2 * i] << 8 | line[2 * i + 1]);
        lines.put(y, deep.data(), samples_, columns, pass.x, pass.columns);
      } else if (bits_ == 8 && kind_ != 3) {
        lines.put(y, line.data(), samples_, columns, pass.x, pass.columns);
      } else {
        expand(line, columns, shades);
        lines.put(y, shades.data(), kind_ == 3 ? 3 : 1, columns, pass.x, pass.columns);
      }
      std::swap(line, before);
    }
  }

  /// Shades of a few bits spread from black to white, colours of the palette looked up.
  void expand(const std::vector<unsigned char>& line, Index columns,
              std::vector<unsigned char>& to) const {
    to.clear();
    const int most = (1 << bits_) - 1;
    for (Index i = 0; i < columns; ++i) {
      const Index bit = i * bits_;
      const int shift = 8 - bits_ - static_cast<int>(bit % 8);
      const int value = line[static_cast<std::size_t>(bit / 8)] >> shift & most;
      if (kind_ == 3)
        to.insert(to.end(), palette_.begin() + 3 * value, palette_.begin() + 3 * value + 3);
      else
        to.push_back(static_cast<unsigned char>(value * 255 / most));
    }
  }

  const ImageBytes& file_;
  int bits_ = 0, kind_ = 0, samples_ = 0;
  bool interlaced_ = false, transparent_ = false;
  std::vector<unsigned char> palette_;
  std::vector<PngInflater::Piece> pieces_;
};

}  // namespace ebb::data::detail
