/// \file
/// One image out of a PNG, JPEG or BMP file.
///
/// Memory: the file, the image that is returned, and a few lines between them; a progressive JPEG
/// also its coefficients, twice the bytes of the image. A JPEG without libjpeg-turbo takes three
/// times the bytes of the image. Nothing is taken for an image that the file is too short to hold.
#pragma once

#include <ebb/data/read/image/bmp.hpp>
#include <ebb/data/read/image/png.hpp>
#include <ebb/data/read/image/resize.hpp>
#ifdef EBB_HAVE_JPEG
#  include <ebb/data/read/image/jpeg_turbo.hpp>
#else
#  include <ebb/data/read/image/jpeg_stb.hpp>
#endif

#include <optional>
#include <span>
#include <variant>

namespace ebb::inline EBB_ABI::data {

/// Values of 16 bits, (channels, height, width).
using WideImage = Tensor<std::uint16_t, 3>;

/// Values of an image of 16 bits: which are shown as black and white, or the least and the largest.
struct ValueRange {
  int low = 0, high = 65535;
  bool operator==(const ValueRange&) const = default;
};

struct ReadImageOptions {
  int channels = 0;  ///< 1: grey, 3: colour, 0: as the file has it
  /// Of files with 16 bits a value: those up to `low` become 0, those from `high` on 255, and those
  /// between lie on a line. A scan with 12 bits in 16 has {0, 4095}. Files of 8 bits are left
  /// alone.
  ValueRange range = {};
};

namespace detail {

/// An image file in memory. \throws FileError when it cannot be read, or is no image.
class ImageFile {
 public:
  /// Larger images are refused before anything is allocated for them.
  static constexpr Index most_pixels = Index{1} << 28;

  explicit ImageFile(const std::string& path) : file_(path) {
    if (file_.has(0, "\x89PNG\r\n\x1a\n"))
      decoder_.emplace<PngDecoder>(file_);
    else if (file_.has(0, "\xff\xd8\xff"))
      decoder_.emplace<JpegHeader>(file_);
    else if (file_.has(0, "BM"))
      decoder_.emplace<BmpDecoder>(file_);
    else
      file_.fail("it is no PNG, JPEG or BMP image; convert it, or move it out of the folder");
    std::visit([&](const auto& decoder) { take(decoder); }, decoder_);
  }

  const ImageInfo& info() const { return info_; }

  /// Decodes to 1 or 3 channels. T: std::uint8_t, or std::uint16_t. \throws FileError when the data
  /// is damaged.
  template <class T = std::uint8_t>
  Tensor<T, 3> decode(int channels) {
    ImageLines<T> lines(stored_, info_.orientation, channels);
    if (auto* png = std::get_if<PngDecoder>(&decoder_)) png->decode(lines);
    if (auto* bmp = std::get_if<BmpDecoder>(&decoder_)) bmp->decode(lines);
    if (auto* jpeg = std::get_if<JpegHeader>(&decoder_)) {
#ifdef EBB_HAVE_JPEG
      decode_jpeg_turbo(file_, *jpeg, lines);
#else
      decode_jpeg_stb(file_, *jpeg, lines);
#endif
    }
    return lines.image();
  }

  /// How many channels it has to be read as, if 0, 1 or 3 were asked for.
  int channels_for(int asked) const { return asked != 0 ? asked : info_.channels < 3 ? 1 : 3; }

 private:
  template <class Decoder>
  void take(const Decoder& decoder) {
    if constexpr (!std::is_same_v<Decoder, std::monostate>) {
      info_ = decoder.info;
      stored_ = info_.size;
      if (info_.size.height > most_pixels / info_.size.width)
        file_.fail(message("it claims ", info_.size.height, "x", info_.size.width,
                           " pixels, more than the ", most_pixels, " that are read"));
      decoder.require_pixels();
      if (info_.orientation >= 5) info_.size = {stored_.width, stored_.height};
    }
  }

  ImageBytes file_;
  std::variant<std::monostate, PngDecoder, JpegHeader, BmpDecoder> decoder_;
  ImageInfo info_;
  Size2 stored_;
};

inline void require_channels(const char* who, int channels) {
  if (channels != 0 && channels != 1 && channels != 3)
    throw ValueError(message(who, ": ", channels,
                             " channels were asked for; use 1 (grey), 3 (colour) or 0 (as it is)"));
}

inline void require_range(const char* who, const ValueRange& range) {
  if (range.low < 0 || range.high > 65535 || range.low >= range.high)
    throw ValueError(message(who, ": a range from ", range.low, " to ", range.high,
                             " was given; black must lie below white, both from 0 to 65535"));
}

}  // namespace detail

/// What kind of image a file holds, without decoding it.
/// \throws FileError when it cannot be read, or is no PNG, JPEG or BMP.
inline ImageInfo image_info(const std::string& path) { return detail::ImageFile(path).info(); }

/// An image file as bytes, upright as its EXIF data asks. Transparency is dropped, the colours of a
/// palette are looked up, inks (CMYK) become red, green and blue, colours grey by ITU-R BT.601. Of
/// 16 bits a value the upper 8 are kept, unless `range` says where black and white lie: without it,
/// a scan with 12 bits in 16 has 16 shades (`deep_range` finds what values there are).
/// \throws FileError when it cannot be read, is no PNG, JPEG or BMP, or is damaged; ValueError when
/// an option makes no sense.
inline ByteImage read_image(const std::string& path, const ReadImageOptions& options) {
  detail::require_channels("read_image", options.channels);
  detail::require_range("read_image", options.range);
  detail::ImageFile file(path);
  const int channels = file.channels_for(options.channels);
  if (file.info().bits == 8 || options.range == ValueRange{}) return file.decode(channels);
  const WideImage wide = file.decode<std::uint16_t>(channels);
  ByteImage x(wide.shape());
  const auto [low, high] = options.range;
  for (Index i = 0; i < x.size(); ++i) {
    const int value = std::clamp<int>(wide.data()[i], low, high) - low;
    x.mutable_data()[i] =
        static_cast<std::uint8_t>((std::int64_t{value} * 510 + high - low) / (2 * (high - low)));
  }
  return x;
}

/// The same, grey (`channels` 1), colour (3) or as the file has it (0).
inline ByteImage read_image(const std::string& path, int channels = 0) {
  return read_image(path, ReadImageOptions{.channels = channels});
}

/// The same with 16 bits a value; 8 bits v become 257 v, so that white is 65535 in any file.
/// \throws FileError as `read_image`.
inline WideImage read_wide_image(const std::string& path, int channels = 0) {
  detail::require_channels("read_wide_image", channels);
  detail::ImageFile file(path);
  return file.decode<std::uint16_t>(file.channels_for(channels));
}

/// The least and the largest value in those of the files that have 16 bits a value; none when there
/// are none of them. A largest of 4095 says that `range` should be {0, 4095}. Decodes those files.
/// \throws FileError as `read_image`.
inline std::optional<ValueRange> deep_range(std::span<const std::string> paths) {
  std::optional<ValueRange> found;
  for (const std::string& path : paths) {
    detail::ImageFile file(path);
    if (file.info().bits == 8) continue;
    const WideImage x = file.decode<std::uint16_t>(file.channels_for(0));
    const auto [least, most] = std::minmax_element(x.data(), x.data() + x.size());
    found = {std::min<int>(*least, found ? found->low : 65535),
             std::max<int>(*most, found ? found->high : 0)};
  }
  return found;
}

}  // namespace ebb::data
