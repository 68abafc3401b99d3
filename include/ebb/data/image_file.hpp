/// \file
/// One image out of a PNG, JPEG or BMP file, and images of another size.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/data/stb_image.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::data {

/// Bytes of shape (channels, height, width): 1 channel is grey, 3 are red, green and blue.
using ByteImage = Tensor<std::uint8_t, 3>;

/// The same with 16 bits a value.
using WideImage = Tensor<std::uint16_t, 3>;

/// What the header of an image file says.
struct ImageInfo {
  Size2 size;
  int channels = 0;  ///< in the file: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha
  int bits = 8;      ///< of a value: 16 in some PNG, 8 elsewhere
};

namespace detail {

/// Whether no Huffman table of a JPEG has more than its 256 codes (ITU-T T.81, B.2.4.2), and every
/// scan uses tables that came before it (B.2.3). Walks the markers as stb_image does, whose version
/// 2.27 believes larger counts and writes past its tables, and reads tables that were never given.
inline bool sound_jpeg_tables(const std::vector<unsigned char>& file) {
  const auto byte = [&](std::size_t at) { return at < file.size() ? int{file[at]} : 0; };
  bool given[2][16] = {};  // for the first coefficient of a block, for the others
  bool progressive = false;
  for (std::size_t at = 0; at < file.size();) {
    if (file[at++] != 0xFF) continue;
    while (byte(at) == 0xFF) ++at;
    const int marker = byte(at++);
    if (marker == 0xD9) break;                                        // end of image
    if (marker <= 1 || (marker >= 0xD0 && marker <= 0xD8)) continue;  // these have no length
    const int length = byte(at) << 8 | byte(at + 1);
    if (marker == 0xC2) progressive = true;
    if (marker == 0xC4) {
      std::size_t table = at + 2;
      int left = length - 2;
      while (left > 0) {
        int codes = 0;
        for (std::size_t i = 1; i <= 16; ++i) codes += byte(table + i);
        if (codes > 256) return false;
        given[byte(table) >> 4 & 1][byte(table) & 15] = true;
        table += static_cast<std::size_t>(17 + codes);
        left -= 17 + codes;
      }
      if (left != 0) return false;
    }
    if (marker == 0xDA) {
      const auto parts = static_cast<std::size_t>(byte(at + 2));
      const std::size_t selection = at + 3 + 2 * parts;
      const bool from_first = byte(selection) == 0, refines = byte(selection + 2) >> 4 != 0;
      for (std::size_t part = 0; part < parts; ++part) {
        const int tables = byte(at + 4 + 2 * part);
        if ((!progressive || (from_first && !refines)) && !given[0][tables >> 4]) return false;
        if ((!progressive || !from_first) && !given[1][tables & 15]) return false;
      }
    }
    at += static_cast<std::size_t>(std::max(length, 2));
  }
  return true;
}

/// Whether every chunk of a PNG lies within the file (PNG, 5.3). stb_image takes memory for what a
/// chunk claims to hold before it looks.
inline bool sound_png_chunks(const std::vector<unsigned char>& file) {
  std::size_t at = 8;  // after the signature
  while (file.size() - at >= 8) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | file[at + i];
    if (std::memcmp(file.data() + at + 4, "IEND", 4) == 0) return true;
    if (length > file.size() - at - 8) return false;
    at = std::min(at + 12 + length, file.size());  // with the checksum
  }
  return true;
}

/// An image file in memory. \throws FileError when it cannot be read, or is no image.
class ImageFile {
 public:
  /// Larger images are refused before anything is allocated for them.
  static constexpr Index most_pixels = Index{1} << 28;

  explicit ImageFile(const std::string& path) : path_(path) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) fail("there is no such file; check the path");
    if (fs::is_directory(status)) fail("it is a folder; name a file in it");
    if (!fs::is_regular_file(status)) fail("it is not a regular file");
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) fail(message("its size cannot be found: ", error.message()));
    if (size > most_bytes) fail(message("it has ", size, " bytes, too many for an image"));
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
    if (!file) fail(message("it cannot be opened: ", std::strerror(errno)));
    bytes_.resize(static_cast<std::size_t>(size));
    if (size == 0 || std::fread(bytes_.data(), 1, bytes_.size(), file.get()) != bytes_.size())
      fail(size == 0 ? "it is empty" : "it cannot be read to its end");
    if (bytes_[0] == 0xFF && !sound_jpeg_tables(bytes_))
      fail("its image data is damaged (bad Huffman table)");
    if (begins("\x89PNG\r\n\x1a\n") && !sound_png_chunks(bytes_))
      fail("its image data is damaged (a chunk that reaches beyond the file)");
    int width = 0, height = 0, channels = 0;
    if (!stbi_info_from_memory(bytes_.data(), length(), &width, &height, &channels))
      fail(unreadable());
    // Rows from the top down are a negative height in a BMP.
    const Index rows = std::abs(Index{height});
    if (width < 1) fail(unreadable());
    if (Index{width} * rows > most_pixels)
      fail(message("it claims ", rows, "x", width, " pixels, more than the ", most_pixels,
                   " that are read"));
    if (begins("BM") && rows * width / 8 * bmp_bits() > static_cast<Index>(bytes_.size()))
      fail("its image data is damaged (it ends before its pixels do)");
    info_ = {{rows, width}, channels, stbi_is_16_bit_from_memory(bytes_.data(), length()) ? 16 : 8};
  }

  const ImageInfo& info() const { return info_; }

  /// Decodes to 1 or 3 channels. T: std::uint8_t, or std::uint16_t. \throws FileError when the data
  /// is damaged.
  template <class T = std::uint8_t>
  Tensor<T, 3> decode(int channels) const {
    int width = 0, height = 0, in_file = 0;
    T* decoded;
    if constexpr (sizeof(T) == 1)
      decoded = stbi_load_from_memory(bytes_.data(), length(), &width, &height, &in_file, channels);
    else
      decoded =
          stbi_load_16_from_memory(bytes_.data(), length(), &width, &height, &in_file, channels);
    const std::unique_ptr<T, Free> pixels(decoded);
    if (!pixels) fail(message("its image data is damaged (", stbi_failure_reason(), ")"));
    Tensor<T, 3> x({channels, height, width});
    const Index area = Index{height} * width;
    for (Index c = 0; c < channels; ++c)
      for (Index i = 0; i < area; ++i)
        x.mutable_data()[c * area + i] = pixels.get()[i * channels + c];
    return x;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message("read_image: '", path_, "': ", what));
  }

 private:
  static constexpr std::uintmax_t most_bytes = std::uintmax_t{1} << 30;

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Free {
    void operator()(void* pixels) const { stbi_image_free(pixels); }
  };

  /// Bits of a pixel of a BMP: behind the size, which the oldest of its headers keeps shorter.
  Index bmp_bits() const {
    const std::size_t at = bytes_.size() > 14 && bytes_[14] == 12 ? 24 : 28;
    return at + 1 < bytes_.size() ? bytes_[at] | bytes_[at + 1] << 8 : 0;
  }
  bool begins(std::string_view with) const {
    return bytes_.size() >= with.size() &&
           std::memcmp(bytes_.data(), with.data(), with.size()) == 0;
  }
  /// Why there is no image in the file, as far as its first bytes tell.
  std::string unreadable() const {
    const char* kind = begins("\xff\xd8\xff")  ? "JPEG"
                       : begins("\x89PNG\r\n") ? "PNG"
                       : begins("BM")          ? "BMP"
                                               : nullptr;
    if (kind == nullptr)
      return "it is no PNG, JPEG or BMP image; convert it, or move it out of the folder";
    return message("it is a ", kind,
                   " that is damaged or of a kind that is not read; convert it to an ordinary PNG");
  }
  int length() const { return static_cast<int>(bytes_.size()); }

  std::string path_;
  std::vector<unsigned char> bytes_;
  ImageInfo info_;
};

/// Weights of one output pixel along an axis.
struct Taps {
  Index first = 0;
  std::vector<float> weight;
};

/// A triangle filter about each output pixel: between the neighbours when enlarging, over all
/// pixels covered when shrinking, so that nothing is skipped.
inline std::vector<Taps> resize_taps(Index from, Index to) {
  std::vector<Taps> taps(static_cast<std::size_t>(to));
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double radius = std::max(scale, 1.0);
  for (Index i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto begin = std::max<Index>(0, static_cast<Index>(std::floor(center - radius)));
    const auto end = std::min(from, static_cast<Index>(std::ceil(center + radius)));
    Taps& t = taps[static_cast<std::size_t>(i)];
    t.first = begin;
    double sum = 0;
    for (Index j = begin; j < end; ++j) {
      const double w = std::max(0.0, 1 - std::abs(static_cast<double>(j) + 0.5 - center) / radius);
      t.weight.push_back(static_cast<float>(w));
      sum += w;
    }
    for (float& w : t.weight) w = static_cast<float>(static_cast<double>(w) / sum);
  }
  return taps;
}

}  // namespace detail

/// What kind of image a file holds, without decoding it.
/// \throws FileError when it cannot be read, or is no PNG, JPEG or BMP.
inline ImageInfo image_info(const std::string& path) { return detail::ImageFile(path).info(); }

namespace detail {

inline void require_channels(const char* who, int channels) {
  if (channels != 0 && channels != 1 && channels != 3)
    throw ValueError(message(who, ": ", channels,
                             " channels were asked for; use 1 (grey), 3 (colour) or 0 (as it is)"));
}
inline int channels_of(const ImageFile& file, int asked) {
  return asked != 0 ? asked : file.info().channels < 3 ? 1 : 3;
}

}  // namespace detail

/// An image file as bytes, grey (`channels` 1) or colour (3); 0: as the file has it. Transparency
/// is dropped, the colours of a palette are looked up, CMYK becomes red, green and blue, and of 16
/// bits the upper 8 are kept: of a scan with 12 bits in 16, that is 16 shades (`read_wide_image`
/// keeps all).
/// \throws FileError when it cannot be read, is no PNG, JPEG or BMP, or is damaged.
inline ByteImage read_image(const std::string& path, int channels = 0) {
  detail::require_channels("read_image", channels);
  const detail::ImageFile file(path);
  return file.decode(detail::channels_of(file, channels));
}

/// The same with 16 bits a value; 8 bits v become 257 v, so that white is 65535 in any file.
/// \throws FileError as `read_image`.
inline WideImage read_wide_image(const std::string& path, int channels = 0) {
  detail::require_channels("read_wide_image", channels);
  const detail::ImageFile file(path);
  return file.decode<std::uint16_t>(detail::channels_of(file, channels));
}

/// The image in another size, by a triangle filter (bilinear that does not skip pixels when it
/// shrinks). \throws ValueError when the size is not positive.
inline ByteImage resize(const ByteImage& x, Size2 size) {
  if (size.height < 1 || size.width < 1 || x.size() == 0)
    throw ValueError(message("resize: an image of shape ", x.shape(), " cannot become ", size));
  const Index channels = x.extent(0), rows = x.extent(1), columns = x.extent(2);
  const auto across = detail::resize_taps(columns, size.width);
  const auto down = detail::resize_taps(rows, size.height);
  Tensor<float, 3> wide({channels, rows, size.width});
  ByteImage y({channels, size.height, size.width});
  for (Index c = 0; c < channels; ++c) {
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < size.width; ++j) {
        const detail::Taps& taps = across[static_cast<std::size_t>(j)];
        float sum = 0;
        for (std::size_t k = 0; k < taps.weight.size(); ++k)
          sum += taps.weight[k] * static_cast<float>(x(c, i, taps.first + static_cast<Index>(k)));
        wide(c, i, j) = sum;
      }
    for (Index i = 0; i < size.height; ++i) {
      const detail::Taps& taps = down[static_cast<std::size_t>(i)];
      for (Index j = 0; j < size.width; ++j) {
        float sum = 0;
        for (std::size_t k = 0; k < taps.weight.size(); ++k)
          sum += taps.weight[k] * wide(c, taps.first + static_cast<Index>(k), j);
        y(c, i, j) = static_cast<std::uint8_t>(std::lround(std::clamp(sum, 0.0f, 255.0f)));
      }
    }
  }
  return y;
}

}  // namespace ebb::data
