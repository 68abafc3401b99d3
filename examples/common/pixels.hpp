// How bright images are, which networks want to know of.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <cstdint>
#include <string>
#include <vector>

// Mean and standard deviation of every channel of the training images, from 0 to 1.
struct Pixels {
  std::vector<float> mean, deviation;
};

// Of images (n, channels, h, w). Throws ebb::ValueError when a channel is the same everywhere.
Pixels pixels_of(const ebb::Tensor<std::uint8_t, 4>& images);

// Of images of any sizes; their sums are taken one image after the other, as those of one tensor.
class PixelSums {
 public:
  explicit PixelSums(ebb::Index channels)
      : sums_(static_cast<std::size_t>(channels)), squares_(sums_) {}
  // (channels, h, w)
  void add(const ebb::Tensor<std::uint8_t, 3>& image);
  Pixels pixels() const;

 private:
  std::vector<double> sums_, squares_;
  ebb::Index area_ = 0;
};

// The shortest digits that read back as the same number.
std::string digits(double x);
std::string digits(float x);

// "0.5,0.25,0.125": a list as the metadata of a file of weights has it.
template <class List>
std::string joined(const List& list) {
  std::string text;
  for (const auto& x : list) {
    if (!text.empty()) text += ',';
    if constexpr (requires { digits(x); })
      text += digits(x);
    else
      text += x;
  }
  return text;
}
