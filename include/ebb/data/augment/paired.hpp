/// \file
/// Augmentation of an image together with its mask: one geometric transform for both, bilinear for
/// the image and nearest for the mask; changes of intensity for the image alone. Each transform
/// draws from the stream it is handed and from nothing else, as those of augment.hpp do.
#pragma once

#include <ebb/data/augment/intensity.hpp>
#include <ebb/data/augment/warp.hpp>

#include <tuple>

namespace ebb::inline EBB_ABI::data {

/// An image (channels, height, width) and the class of each of its pixels (height, width).
struct ImageAndMask {
  Image image;
  Mask mask;
};

namespace detail {

inline Size2 size_of_pair(const char* who, const ImageAndMask& x) {
  const Size2 size{x.image.extent(1), x.image.extent(2)};
  if (x.mask.extent(0) != size.height || x.mask.extent(1) != size.width)
    throw ShapeError(message(who, ": the image has shape ", x.image.shape(), " and its mask ",
                             x.mask.shape(), "; height and width must agree"));
  return size;
}

inline ImageAndMask moved(const ImageAndMask& x, const Places& at, const Border& border) {
  return {warp(x.image, at, border), warp(x.mask, at, border)};
}

}  // namespace detail

/// Mirrors left and right, and top and bottom, each with a probability of its own.
struct FlipPair {
  float horizontal = 0.5f;
  float vertical = 0.5f;

  /// \throws ValueError when a probability is none, ShapeError when image and mask do not agree.
  ImageAndMask operator()(const ImageAndMask& x, RandomStream random) const {
    detail::check_probability("FlipPair", horizontal);
    detail::check_probability("FlipPair", vertical);
    const Size2 size = detail::size_of_pair("FlipPair", x);
    const bool across = random.uniform(0) < horizontal, down = random.uniform(1) < vertical;
    Places at({2, size.height, size.width});
    const auto out = at.mut();
    for (Index i = 0; i < size.height; ++i)
      for (Index j = 0; j < size.width; ++j) {
        out(0, i, j) = static_cast<float>(across ? size.width - 1 - j : j);
        out(1, i, j) = static_cast<float>(down ? size.height - 1 - i : i);
      }
    return detail::moved(x, at, {});
  }
};

/// A random turn by any angle, move, scale and shear, in one interpolation.
class AffinePair {
 public:
  /// `options.fill` is not used: `border` says what comes in from outside.
  /// \throws ValueError when an option is out of its range.
  explicit AffinePair(RandomAffineOptions options, Border border = {})
      : options_(options), border_(border) {
    RandomAffine{options};  // throws for what is out of range
  }

  /// \throws ShapeError when image and mask do not agree.
  ImageAndMask operator()(const ImageAndMask& x, RandomStream random) const {
    const Size2 size = detail::size_of_pair("AffinePair", x);
    const RandomAffineOptions& o = options_;
    const AffineMap map =
        AffineMap::of(detail::spread(random, 0, o.degrees),
                      o.smallest + random.uniform(1) * (o.largest - o.smallest),
                      detail::spread(random, 2, o.shear),
                      detail::spread(random, 3, o.translate_x) * static_cast<float>(size.width),
                      detail::spread(random, 4, o.translate_y) * static_cast<float>(size.height));
    return detail::moved(x, affine_places(size, map), border_);
  }

 private:
  RandomAffineOptions options_;
  Border border_;
};

/// Simard's elastic deformation (`elastic_places`).
struct ElasticPair {
  float alpha = 34;  ///< Simard et al.'s values for digits of 28 by 28 pixels
  float sigma = 4;
  Border border = {};

  /// \throws ValueError when sigma is out of its range, ShapeError when the two do not agree.
  ImageAndMask operator()(const ImageAndMask& x, RandomStream random) const {
    const Size2 size = detail::size_of_pair("ElasticPair", x);
    return detail::moved(x, elastic_places(size, alpha, sigma, random), border);
  }
};

/// U-Net's deformation by a coarse grid (`grid_places`).
struct GridPair {
  Index nodes = 3;
  float deviation = 10;  ///< in pixels
  Border border = {};

  /// \throws ValueError when the grid makes no sense, ShapeError when the two do not agree.
  ImageAndMask operator()(const ImageAndMask& x, RandomStream random) const {
    const Size2 size = detail::size_of_pair("GridPair", x);
    return detail::moved(x, grid_places(size, nodes, deviation, random), border);
  }
};

/// A random window out of image and mask after mirroring their borders outwards by `padding`.
struct CropPair {
  Size2 size;
  Size2 padding = 0;

  /// \throws ShapeError when the window is larger than the padded image, or empty.
  ImageAndMask operator()(const ImageAndMask& x, RandomStream random) const {
    const Size2 from = detail::size_of_pair("CropPair", x);
    const Index rows = from.height + 2 * padding.height - size.height + 1;
    const Index columns = from.width + 2 * padding.width - size.width + 1;
    if (rows < 1 || columns < 1 || size.height < 1 || size.width < 1)
      throw ShapeError(message("CropPair: a window of ", size, " does not fit an image of shape ",
                               x.image.shape(), " padded by ", padding,
                               "; use a smaller one or pad more"));
    const Index top = random.below(rows, 0) - padding.height;
    const Index left = random.below(columns, 1) - padding.width;
    Places at({2, size.height, size.width});
    const auto out = at.mut();
    for (Index i = 0; i < size.height; ++i)
      for (Index j = 0; j < size.width; ++j) {
        out(0, i, j) = static_cast<float>(left + j);
        out(1, i, j) = static_cast<float>(top + i);
      }
    return detail::moved(x, at, {});
  }
};

/// Transforms of pairs one after the other, each with a random stream of its own. A transform of
/// images (`RandomGamma`, `GaussianNoise`, `Normalize`) changes the image and leaves the mask, so
/// it must not move pixels:
///
///     ComposePairs(FlipPair{}, GridPair{}, CropPair{.size = 256}, RandomContrast{0.8f, 1.2f})
template <class... F>
class ComposePairs {
 public:
  explicit ComposePairs(F... transforms) : transforms_(std::move(transforms)...) {}

  ImageAndMask operator()(ImageAndMask x, RandomStream random) const {
    std::uint64_t position = 0;
    const auto one = [&](const auto& f) {
      const RandomStream stream = derive(random, position++);
      if constexpr (std::is_invocable_v<decltype(f), const ImageAndMask&, RandomStream>)
        x = f(x, stream);
      else
        x.image = apply(f, x.image, stream);
    };
    std::apply([&](const F&... f) { (one(f), ...); }, transforms_);
    return x;
  }

 private:
  std::tuple<F...> transforms_;
};

}  // namespace ebb::data
