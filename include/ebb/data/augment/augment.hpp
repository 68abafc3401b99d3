/// \file
/// Random transforms for augmentation, under torchvision's names. Each draws from the stream it is
/// handed and from nothing else, so a sample looks the same in an epoch whatever the batch, the
/// order or the thread.
#pragma once

#include <ebb/data/augment/transforms.hpp>

#include <cmath>
#include <numbers>

namespace ebb::inline EBB_ABI::data {

namespace detail {

inline void check_probability(const char* who, float p) {
  if (!(p >= 0 && p <= 1))
    throw ValueError(
        message(who, ": a probability of ", p, " was given; use a number from 0 to 1"));
}

/// Uniform in [-limit, limit).
inline float spread(RandomStream random, std::uint64_t index, float limit) {
  return (2 * random.uniform(index) - 1) * limit;
}

}  // namespace detail

/// A map of the plane, in pixels about the image's centre, x to the right and y down:
/// (x, y) -> (xx x + xy y + x0, yx x + yy y + y0).
struct AffineMap {
  float xx = 1, xy = 0, x0 = 0;
  float yx = 0, yy = 1, y0 = 0;

  /// Turns by `degrees` (counter-clockwise as seen), scales, shears along x by `shear` degrees, and
  /// then moves by (x, y) pixels.
  static AffineMap of(float degrees, float scale = 1, float shear = 0, float x = 0, float y = 0) {
    constexpr float radians = std::numbers::pi_v<float> / 180;
    const float c = scale * std::cos(degrees * radians), s = scale * std::sin(degrees * radians);
    const float t = std::tan(shear * radians);
    return {c, c * t + s, x, -s, c - s * t, y};
  }

  /// \throws ValueError when the map flattens the plane.
  AffineMap inverse() const {
    const float determinant = xx * yy - xy * yx;
    if (!(std::abs(determinant) > 1e-12f))
      throw ValueError(
          "AffineMap: it maps the plane to a line or a point and has no inverse; use a "
          "scale above 0 and a shear well below 90 degrees");
    const float d = 1 / determinant;
    return {yy * d, -xy * d, (xy * y0 - yy * x0) * d, -yx * d, xx * d, (yx * x0 - xx * y0) * d};
  }
};

/// The image moved by `map`: pixel p of the result is the image at map^-1(p), bilinear between
/// pixel centres, `fill` outside.
inline Image affine(const Image& x, const AffineMap& map, float fill = 0) {
  const AffineMap back = map.inverse();
  const Index channels = x.extent(0), height = x.extent(1), width = x.extent(2);
  const float cx = 0.5f * static_cast<float>(width - 1), cy = 0.5f * static_cast<float>(height - 1);
  Image y(x.shape());
  const auto out = y.mut();
  const auto in = x.view();
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j) {
      const float px = static_cast<float>(j) - cx, py = static_cast<float>(i) - cy;
      const float sx = back.xx * px + back.xy * py + back.x0 + cx;
      const float sy = back.yx * px + back.yy * py + back.y0 + cy;
      // Not inside also when not finite, so that the casts below are always defined.
      const bool inside =
          sx > -1 && sy > -1 && sx < static_cast<float>(width) && sy < static_cast<float>(height);
      const auto j0 = inside ? static_cast<Index>(std::floor(sx)) : -2;
      const auto i0 = inside ? static_cast<Index>(std::floor(sy)) : -2;
      const float wx = sx - static_cast<float>(j0), wy = sy - static_cast<float>(i0);
      for (Index c = 0; c < channels; ++c) {
        const auto at = [&](Index row, Index column) {
          return row >= 0 && row < height && column >= 0 && column < width ? in(c, row, column)
                                                                           : fill;
        };
        out(c, i, j) = inside ? (1 - wy) * ((1 - wx) * at(i0, j0) + wx * at(i0, j0 + 1)) +
                                    wy * ((1 - wx) * at(i0 + 1, j0) + wx * at(i0 + 1, j0 + 1))
                              : fill;
      }
    }
  return y;
}

/// Turns by a fixed angle in degrees, counter-clockwise.
struct Rotate {
  float degrees;
  float fill = 0;

  Image operator()(const Image& x) const { return affine(x, AffineMap::of(degrees), fill); }
};

/// A random window of the given size out of the image, after padding it.
struct RandomCrop {
  Size2 size;
  Size2 padding = 0;
  float fill = 0;

  /// \throws ShapeError when the window is larger than the padded image.
  Image operator()(const Image& x, RandomStream random) const {
    const Index rows = x.extent(1) + 2 * padding.height - size.height + 1;
    const Index columns = x.extent(2) + 2 * padding.width - size.width + 1;
    if (rows < 1 || columns < 1)
      throw ShapeError(message("RandomCrop: a window of ", size, " does not fit an image of shape ",
                               x.shape(), " padded by ", padding,
                               "; use a smaller one or pad more"));
    return window(x, random.below(rows, 0) - padding.height,
                  random.below(columns, 1) - padding.width, size, fill);
  }
};

/// Mirrors left and right with probability p.
class RandomHorizontalFlip {
 public:
  explicit RandomHorizontalFlip(float p = 0.5f) : p_(p) {
    detail::check_probability("RandomHorizontalFlip", p);
  }
  Image operator()(const Image& x, RandomStream random) const {
    return random.uniform(0) < p_ ? horizontal_flip(x) : x;
  }

 private:
  float p_;
};

/// Mirrors top and bottom with probability p.
class RandomVerticalFlip {
 public:
  explicit RandomVerticalFlip(float p = 0.5f) : p_(p) {
    detail::check_probability("RandomVerticalFlip", p);
  }
  Image operator()(const Image& x, RandomStream random) const {
    return random.uniform(0) < p_ ? vertical_flip(x) : x;
  }

 private:
  float p_;
};

/// Turns by an angle drawn from [-degrees, degrees).
struct RandomRotation {
  float degrees;
  float fill = 0;

  Image operator()(const Image& x, RandomStream random) const {
    return affine(x, AffineMap::of(detail::spread(random, 0, degrees)), fill);
  }
};

struct RandomAffineOptions {
  float degrees = 0;      ///< turns by up to this much either way
  float translate_x = 0;  ///< moves by up to this part of the width either way
  float translate_y = 0;  ///< moves by up to this part of the height either way
  float smallest = 1;     ///< scales by a factor between this
  float largest = 1;      ///< and this
  float shear = 0;        ///< shears by up to this many degrees either way
  float fill = 0;         ///< value of what comes in from outside
};

/// A random turn, move, scale and shear in one interpolation.
class RandomAffine {
 public:
  /// \throws ValueError when an option is out of its range.
  explicit RandomAffine(RandomAffineOptions options) : options_(options) {
    if (!(options.smallest > 0 && options.largest >= options.smallest))
      throw ValueError(message("RandomAffine: scales from ", options.smallest, " to ",
                               options.largest, " were given; use 0 < smallest <= largest"));
    if (!(std::abs(options.shear) < 90))
      throw ValueError(message("RandomAffine: a shear of ", options.shear,
                               " degrees was given; use less than 90"));
  }

  Image operator()(const Image& x, RandomStream random) const {
    const RandomAffineOptions& o = options_;
    const float width = static_cast<float>(x.extent(2)), height = static_cast<float>(x.extent(1));
    return affine(x,
                  AffineMap::of(detail::spread(random, 0, o.degrees),
                                o.smallest + random.uniform(1) * (o.largest - o.smallest),
                                detail::spread(random, 2, o.shear),
                                detail::spread(random, 3, o.translate_x) * width,
                                detail::spread(random, 4, o.translate_y) * height),
                  o.fill);
  }

 private:
  RandomAffineOptions options_;
};

/// Adds independent normal noise to every pixel.
struct GaussianNoise {
  float std;

  Image operator()(const Image& x, RandomStream random) const {
    Image y(x.shape());
    for (Index i = 0; i < x.size(); ++i)
      y.mutable_data()[i] = x.data()[i] + std * random.normal(static_cast<std::uint64_t>(i));
    return y;
  }
};

}  // namespace ebb::data
