#include "pixels.hpp"

#include <ebb/core/error.hpp>

#include <charconv>
#include <cmath>

Pixels pixels_of(const ebb::Tensor<std::uint8_t, 4>& images) {
  Pixels pixels;
  const ebb::Index channels = images.extent(1), area = images.extent(2) * images.extent(3);
  for (ebb::Index c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (ebb::Index n = 0; n < images.extent(0); ++n)
      for (ebb::Index i = 0; i < area; ++i) {
        const double x = images.data()[(n * channels + c) * area + i] / 255.0;
        sum += x;
        squares += x * x;
      }
    const double count = static_cast<double>(images.extent(0) * area);
    const double mean = sum / count, variance = squares / count - mean * mean;
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
