/// \file
/// BMP files (Microsoft's "Bitmap Storage", and OS/2's first): 1, 4, 8, 16, 24 and 32 bits a pixel,
/// palettes, masks, runs of equal pixels (RLE4, RLE8), rows from the bottom or from the top.
#pragma once

#include <ebb/data/read/image/bytes.hpp>
#include <ebb/data/read/image/lines.hpp>

#include <array>
#include <bit>

namespace ebb::inline EBB_ABI::data::detail {

class BmpDecoder {
 public:
  /// \throws FileError when the header makes no sense.
  explicit BmpDecoder(const ImageBytes& file) : file_(file) {
    const std::size_t header = file.little(14, 4);
    const bool old = header == 12;
    if (!old && header != 40 && header != 52 && header != 56 && header != 64 && header != 108 &&
        header != 124)
      file.refuse("it is a BMP with a header of an unknown kind");
    pixels_ = file.little(10, 4);
    const auto rows =
        old ? Index{file.little(20, 2)} : Index{std::bit_cast<std::int32_t>(file.little(22, 4))};
    const auto columns =
        old ? Index{file.little(18, 2)} : Index{std::bit_cast<std::int32_t>(file.little(18, 4))};
    from_top_ = rows < 0;
    info.size = {from_top_ ? -rows : rows, columns};
    bits_ = static_cast<int>(file.little(old ? 24 : 28, 2));
    packing_ = old ? 0 : file.little(30, 4);
    if (rows == 0 || columns < 1) file.damaged("its header makes no sense");
    if (bits_ != 1 && bits_ != 4 && bits_ != 8 && bits_ != 16 && bits_ != 24 && bits_ != 32)
      file.refuse(message("it is a BMP of ", bits_, " bits a pixel"));
    if (packing_ > 3 || (packing_ == 1 && bits_ != 8) || (packing_ == 2 && bits_ != 4) ||
        (packing_ == 3 && bits_ < 16) || (header == 64 && packing_ == 3))
      file.refuse(message("it is a BMP of ", bits_, " bits a pixel, packed by method ", packing_));
    std::size_t next = 14 + header;
    if (bits_ <= 8)
      read_palette(next, old ? 3 : 4, old ? 0 : file.little(46, 4));
    else
      read_masks(next);
    if (pixels_ < next) file.damaged("its pixels lie within its header");
    info.channels = bits_ <= 8 && grey_ ? 1 : 3;
  }

  ImageInfo info;  ///< with the size as stored; a palette of greys is one channel

  /// Whether the file is large enough for its pixels.
  void require_pixels() const {
    const Index there = static_cast<Index>(file_.size() - std::min(file_.size(), pixels_));
    const Index least = runs() ? info.size.area() / 128  // two bytes make 255 pixels at most
                               : (info.size.height - 1) * stride() + line_bytes();
    if (there < least) file_.damaged("it ends before its pixels do");
  }

  template <class T>
  void decode(ImageLines<T>& lines) {
    if (runs()) return decode_runs(lines);
    for (Index y = 0; y < info.size.height; ++y) {
      const std::size_t at = pixels_ + static_cast<std::size_t>(y * stride());
      line_.clear();
      for (Index x = 0; x < info.size.width; ++x) append(at, x);
      put(lines, y);
    }
  }

 private:
  bool runs() const { return packing_ == 1 || packing_ == 2; }
  Index line_bytes() const { return (info.size.width * bits_ + 7) / 8; }
  Index stride() const { return (line_bytes() + 3) / 4 * 4; }

  void read_palette(std::size_t& next, std::size_t each, std::size_t count) {
    const std::size_t most = std::size_t{1} << bits_;
    if (count == 0 || count > most) count = most;
    for (std::size_t i = 0; i < count; ++i, next += each) {
      for (std::size_t c = 0; c < 3; ++c)
        palette_[i][c] = static_cast<unsigned char>(file_[next + 2 - c]);
      grey_ = grey_ && palette_[i][0] == palette_[i][1] && palette_[i][1] == palette_[i][2];
    }
    if (pixels_ == next - count * each) pixels_ = next;  // some writers forget the palette
    // Some keep fewer colours than they could, and say nothing of it.
    next = std::min(next, std::max(pixels_, next - count * each));
  }

  void read_masks(std::size_t& next) {
    masks_ = bits_ == 16 ? std::array<std::uint32_t, 3>{31u << 10, 31u << 5, 31u}
                         : std::array<std::uint32_t, 3>{255u << 16, 255u << 8, 255u};
    if (packing_ != 3) return;
    if (bits_ == 24) file_.refuse("it is a BMP of 24 bits with masks");
    for (std::size_t c = 0; c < 3; ++c) masks_[c] = file_.little(54 + 4 * c, 4);
    if (next == 54) next += 12;
    for (const std::uint32_t mask : masks_) {
      const std::uint32_t from_0 = mask == 0 ? 0 : mask >> std::countr_zero(mask);
      if (from_0 == 0 || (from_0 & (from_0 + 1)) != 0 || from_0 > 0xFFFF)
        file_.damaged("masks of its colours that make no sense");
    }
  }

  /// Adds a pixel of a line that begins at `at`.
  void append(std::size_t at, Index x) {
    const std::size_t bit = static_cast<std::size_t>(x) * static_cast<std::size_t>(bits_);
    if (bits_ <= 8) {
      const int shift = 8 - bits_ - static_cast<int>(bit % 8);
      append_colour(file_[at + bit / 8] >> shift & ((1 << bits_) - 1));
    } else {
      const std::uint32_t pixel = file_.little(at + bit / 8, bits_ / 8);
      for (const std::uint32_t mask : masks_) {
        const int shift = std::countr_zero(mask);
        const std::uint32_t value = (pixel & mask) >> shift, most = mask >> shift;
        line_.push_back(static_cast<unsigned char>(most == 255 ? value : value * 255 / most));
      }
    }
  }
  void append_colour(int index) {
    const auto& colour = palette_[static_cast<std::size_t>(index)];
    line_.insert(line_.end(), colour.begin(), colour.begin() + info.channels);
  }

  template <class T>
  void put(ImageLines<T>& lines, Index y) {
    lines.put(from_top_ ? y : info.size.height - 1 - y, line_.data(), info.channels,
              info.size.width);
  }

  /// Runs (a count and a colour), and after a count of 0: 0 ends a line, 1 the image, 2 moves on by
  /// columns and lines, and more is that many pixels as they are. What is left out has colour 0.
  template <class T>
  void decode_runs(ImageLines<T>& lines) {
    const Index width = info.size.width, height = info.size.height;
    std::vector<unsigned char> row(static_cast<std::size_t>(width));
    Index x = 0, y = 0;
    const auto next_line = [&] {
      line_.clear();
      for (const unsigned char index : row) append_colour(index);
      put(lines, y++);
      std::fill(row.begin(), row.end(), static_cast<unsigned char>(0));
    };
    const auto pixel = [&](int index) {
      if (x == width) file_.damaged("a line longer than the image is wide");
      row[static_cast<std::size_t>(x++)] = static_cast<unsigned char>(index);
    };
    std::size_t at = pixels_;
    while (y < height) {
      if (at + 2 > file_.size()) {
        if (y < height - 1 || x < width) file_.damaged("it ends before its pixels do");
        return next_line();
      }
      const int count = file_[at], value = file_[at + 1];
      at += 2;
      if (count > 0) {
        for (int i = 0; i < count; ++i)
          pixel(bits_ == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
      } else if (value == 0) {
        next_line();
        x = 0;
      } else if (value == 1) {
        for (Index left = height - y; left > 0; --left) next_line();
      } else if (value == 2) {
        x = std::min(width, x + file_[at]);
        for (int up = file_[at + 1]; up > 0 && y < height; --up) next_line();
        at += 2;
      } else {
        const std::size_t bytes = (static_cast<std::size_t>(value * bits_) + 7) / 8;
        if (at + bytes > file_.size()) file_.damaged("it ends before its pixels do");
        for (int i = 0; i < value; ++i) {
          const int both = file_[at + static_cast<std::size_t>(i * bits_ / 8)];
          pixel(bits_ == 8 ? both : i % 2 == 0 ? both >> 4 : both & 15);
        }
        at += (bytes + 1) / 2 * 2;  // to an even number of bytes
      }
    }
  }

  const ImageBytes& file_;
  int bits_ = 0;
  std::uint32_t packing_ = 0;  ///< 0: plain, 1: runs of 8 bits, 2: of 4, 3: plain with masks
  bool from_top_ = false, grey_ = true;
  std::size_t pixels_ = 0;  ///< where they begin
  std::array<std::array<unsigned char, 3>, 256> palette_{};
  std::array<std::uint32_t, 3> masks_{};
  std::vector<unsigned char> line_;  ///< the one that is being decoded
};

}  // namespace ebb::data::detail
