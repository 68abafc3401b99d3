/// \file
/// A heat map laid over the image it explains, as PNG.
#pragma once

#include <ebb/io/png.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <cmath>

namespace ebb::inline EBB_ABI::explain {

struct OverlayOptions {
  double black = 0, white = 1;  ///< image values drawn as black and white
  double strength = 0.7;        ///< opacity of the hottest pixel
  double hottest = 0;           ///< heat drawn hottest; 0: the greatest of this map
};

/// A picture with 8 bits per channel, red, green and blue interleaved.
struct Overlay {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
};

/// Image `index` of a batch (n, c, h, w) of 1 or 3 channels, in grey or in its colours, under map
/// `index` of (n, h, w): from dark red over orange to yellow, the opaquer the hotter. Heat of 0 and
/// below, and what is not a number, leaves the image as it is.
/// \throws ShapeError when image and map do not belong together, ValueError when an option makes
/// no sense.
template <class T>
Overlay overlay(const Tensor<T, 4>& images, const Tensor<T, 3>& heat, Index index = 0,
                const OverlayOptions& options = {}) {
  const Index channels = images.extent(1), height = images.extent(2), width = images.extent(3);
  if (index < 0 || index >= images.extent(0) || (channels != 1 && channels != 3) ||
      images.extent(0) != heat.extent(0) || height != heat.extent(1) || width != heat.extent(2))
    throw ShapeError(message("overlay: image ", index, " of ", images.shape(), " and map ", index,
                             " of ", heat.shape(),
                             " cannot be drawn; it takes images (n, 1 or 3, h, w) and maps "
                             "(n, h, w), counted from 0"));
  if (!(options.white > options.black) || !(options.strength >= 0 && options.strength <= 1))
    throw ValueError(message("overlay: black ", options.black, ", white ", options.white,
                             " and strength ", options.strength,
                             " make no picture; use black < white and a strength from 0 to 1"));
  double hottest = options.hottest;
  if (!(hottest > 0))
    for (Index i = 0; i < height * width; ++i)
      hottest = std::fmax(hottest, static_cast<double>(heat.data()[index * height * width + i]));
  const auto byte = [](double x) {
    return static_cast<std::uint8_t>(x > 0 ? (x < 1 ? std::lround(255 * x) : 255) : 0);
  };
  Overlay y{static_cast<int>(width), static_cast<int>(height), {}};
  y.pixels.reserve(static_cast<std::size_t>(3 * height * width));
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j) {
      const double h = static_cast<double>(heat(index, i, j)) / hottest;
      const double t = h > 0 ? std::fmin(h, 1) : 0;  // 0 also for what is not a number
      const double colour[3] = {std::fmin(1, 0.5 + t), std::fmax(0, 2 * t - 1), 0};
      for (Index c = 0; c < 3; ++c) {
        const double v = static_cast<double>(images(index, channels == 3 ? c : 0, i, j));
        const double grey =
            std::clamp((v - options.black) / (options.white - options.black), 0.0, 1.0);
        const double a = options.strength * t;
        y.pixels.push_back(byte((1 - a) * grey + a * colour[c]));
      }
    }
  return y;
}

/// Writes it as PNG. \throws FileError when the file cannot be written.
inline void write_overlay(const std::string& path, const Overlay& picture) {
  io::write_png(path, picture.width, picture.height, 3, picture.pixels);
}

}  // namespace ebb::explain
