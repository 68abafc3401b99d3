#include "pixels.hpp"

#include <ebb/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

Pixels pixels_of(const ebb::Tensor<std::uint8_t, 4>& images) {
  PixelSums sums(images.extent(1));
  ebb::Tensor<std::uint8_t, 3> image({images.extent(1), images.extent(2), images.extent(3)});
  for (ebb::Index n = 0; n < images.extent(0); ++n) {
    std::copy_n(images.data() + n * image.size(), image.size(), image.mutable_data());
    sums.add(image);
  }
  return sums.pixels();
}

void PixelSums::add(const ebb::Tensor<std::uint8_t, 3>& image) {
  const ebb::Index area = image.extent(1) * image.extent(2);
  for (std::size_t c = 0; c < sums_.size(); ++c)
    for (ebb::Index i = 0; i < area; ++i) {
      const double x = image.data()[static_cast<ebb::Index>(c) * area + i] / 255.0;
      sums_[c] += x;
      squares_[c] += x * x;
    }
  area_ += area;
}

Pixels PixelSums::pixels() const {
  Pixels pixels;
  const double count = static_cast<double>(area_);
  for (std::size_t c = 0; c < sums_.size(); ++c) {
    const double mean = sums_[c] / count, variance = squares_[c] / count - mean * mean;
    if (!(variance > 1e-12))
      throw ebb::ValueError(ebb::message("channel ", c,
                                         " of the training images is the same "
                                         "everywhere; there is nothing to learn from"));
    pixels.mean.push_back(static_cast<float>(mean));
    pixels.deviation.push_back(static_cast<float>(std::sqrt(variance)));
  }
  return pixels;
}

namespace {

template <class Number>
std::string shortest(Number x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

}  // namespace

std::string digits(double x) { return shortest(x); }
std::string digits(float x) { return shortest(x); }
