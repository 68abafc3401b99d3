/// \file
/// Stored lines of pixels, as they come out of a file, laid out as an image.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/tensor/tensor.hpp>

#include <cstdint>

namespace ebb::inline EBB_ABI::data::detail {

/// A value of another width: 8 bits v become 257 v, so that white stays white; of 16 the upper 8.
template <class T, class S>
T sample_as(S value) {
  if constexpr (sizeof(T) > sizeof(S))
    return static_cast<T>(257 * value);
  else if constexpr (sizeof(T) < sizeof(S))
    return static_cast<T>(value >> 8);
  else
    return value;
}

/// An image (channels, height, width) in the making. Lines are stored in an order and a direction
/// that EXIF's orientation tells; here they come to lie upright.
template <class T>
class ImageLines {
 public:
  ImageLines(Size2 stored, int orientation, int channels)
      : channels_(channels),
        area_(stored.area()),
        image_(orientation < 5 ? Shape<3>{channels, stored.height, stored.width}
                               : Shape<3>{channels, stored.width, stored.height}) {
    // Of a stored pixel (line y, column x), where it lies upright (TIFF 6.0, "Orientation").
    const Index h = stored.height, w = stored.width;
    struct Way {
      Index first, column, line;
    };
    const Way ways[8] = {{0, 1, w}, {w - 1, -1, w}, {w * h - 1, -1, -w}, {w * h - w, 1, -w},
                         {0, h, 1}, {h - 1, h, -1}, {w * h - 1, -h, -1}, {w * h - h, -h, 1}};
    const Way& way = ways[orientation - 1];
    first_ = way.first, column_ = way.column, line_ = way.line;
  }

  /// `count` pixels of line y from column x on, each `every` columns after the one before; each of
  /// `given` samples: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha. Alpha is dropped.
  template <class S>
  void put(Index y, const S* samples, int given, Index count, Index x = 0, Index every = 1) {
    T* to = image_.mutable_data() + first_ + y * line_ + x * column_;
    const Index step = every * column_;
    if (given < 3) {
      for (Index i = 0; i < count; ++i)
        for (int c = 0; c < channels_; ++c)
          to[c * area_ + i * step] = sample_as<T>(samples[i * given]);
    } else if (channels_ == 3) {
      for (Index i = 0; i < count; ++i)
        for (int c = 0; c < 3; ++c) to[c * area_ + i * step] = sample_as<T>(samples[i * given + c]);
    } else {
      for (Index i = 0; i < count; ++i) to[i * step] = sample_as<T>(luma(samples + i * given));
    }
  }

  const Tensor<T, 3>& image() const { return image_; }

 private:
  /// ITU-R BT.601's weights of red, green and blue in 16 bits, rounded as Pillow does.
  template <class S>
  static S luma(const S* rgb) {
    return static_cast<S>((19595u * std::uint32_t{rgb[0]} + 38470u * std::uint32_t{rgb[1]} +
                           7471u * std::uint32_t{rgb[2]} + 0x8000u) >>
                          16);
  }

  int channels_;
  Index area_, first_ = 0, column_ = 1, line_ = 0;
  Tensor<T, 3> image_;
};

}  // namespace ebb::data::detail
