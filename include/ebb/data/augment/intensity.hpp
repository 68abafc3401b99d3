/// \file
/// Random changes of intensity: no pixel moves. Noise is `GaussianNoise` in augment.hpp.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/data/augment/transforms.hpp>

#include <algorithm>
#include <cmath>

namespace ebb::inline EBB_ABI::data {

namespace detail {

template <class F>
Image each_pixel(const Image& x, const F& f) {
  Image y(x.shape());
  for (Index i = 0; i < x.size(); ++i) y.mutable_data()[i] = f(x.data()[i]);
  return y;
}

/// Uniform in [low, high). \throws ValueError when these make no range of numbers above 0.
inline float factor(const char* who, float low, float high, RandomStream random) {
  if (!(low > 0 && high >= low && math::is_finite(high)))
    throw ValueError(
        message(who, ": factors from ", low, " to ", high, " were given; use 0 < low <= high"));
  return low + random.uniform(0) * (high - low);
}

}  // namespace detail

/// Adds one number from [-shift, shift) to all pixels.
struct RandomBrightness {
  float shift = 0.1f;

  Image operator()(const Image& x, RandomStream random) const {
    const float by = (2 * random.uniform(0) - 1) * shift;
    return detail::each_pixel(x, [by](float v) { return v + by; });
  }
};

/// Stretches every channel about its mean by one factor from [low, high).
struct RandomContrast {
  float low = 0.75f, high = 1.25f;

  /// \throws ValueError unless 0 < low <= high.
  Image operator()(const Image& x, RandomStream random) const {
    const float by = detail::factor("RandomContrast", low, high, random);
    const Index pixels = x.extent(1) * x.extent(2);
    Image y(x.shape());
    for (Index c = 0; c < x.extent(0); ++c) {
      const float* from = x.data() + c * pixels;
      double sum = 0;
      for (Index i = 0; i < pixels; ++i) sum += static_cast<double>(from[i]);
      const float mean = pixels > 0 ? static_cast<float>(sum / static_cast<double>(pixels)) : 0;
      for (Index i = 0; i < pixels; ++i)
        y.mutable_data()[c * pixels + i] = mean + by * (from[i] - mean);
    }
    return y;
  }
};

/// ((x - least) / (most - least))^gamma, back in the image's own range [least, most], with gamma
/// from [low, high). A constant image stays as it is.
struct RandomGamma {
  float low = 0.7f, high = 1.5f;

  /// \throws ValueError unless 0 < low <= high.
  Image operator()(const Image& x, RandomStream random) const {
    const float gamma = detail::factor("RandomGamma", low, high, random);
    if (x.size() == 0) return x;
    const auto [least, most] = std::minmax_element(x.data(), x.data() + x.size());
    const float from = *least, range = *most - *least;
    if (!(range > 0) || !math::is_finite(range)) return x;
    return detail::each_pixel(
        x, [=](float v) { return from + range * std::pow((v - from) / range, gamma); });
  }
};

}  // namespace ebb::data
