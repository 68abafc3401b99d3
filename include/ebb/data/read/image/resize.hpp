/// \file
/// Images of another size.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// Bytes of shape (channels, height, width): 1 channel is grey, 3 are red, green and blue.
using ByteImage = Tensor<std::uint8_t, 3>;

namespace detail {

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
