/// \file
/// Images and masks sampled at displaced places: what geometric augmentation is made of.
#pragma once

#include <ebb/data/augment/augment.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::data {

/// The class of every pixel, (height, width).
using Mask = Tensor<int, 2>;

/// Where each pixel of a result comes from, (2, height, width): columns, then rows, of the source.
using Places = Tensor<float, 3>;

/// What lies outside an image: its mirror image, or a value for pixels and a class for masks.
struct Border {
  bool mirrored = true;
  float fill = 0;
  int label = 0;
};

/// Index i of an axis of n elements that is mirrored at its ends; the outermost elements are not
/// repeated: ... 2 1 0 1 2 ... (PyTorch's `reflect`), for any i.
inline Index mirrored_index(Index i, Index n) {
  if (n == 1) return 0;
  const Index period = 2 * (n - 1);
  const Index at = (i % period + period) % period;
  return at < n ? at : period - at;
}

namespace detail {

inline Index inside_or_mirrored(Index i, Index n, const Border& border) {
  if (i >= 0 && i < n) return i;
  return border.mirrored ? mirrored_index(i, n) : -1;
}
/// Whether a place can be made an index.
inline bool is_place(float x) { return std::abs(x) < 1e9f; }

inline void require_places(const Places& at) {
  if (at.extent(0) != 2)
    throw ShapeError(message("warp: places of shape ", at.shape(),
                             " were given; they are (2, height, width): columns and rows"));
}
inline void require_pixels(const char* what, Index height, Index width) {
  if (height < 1 || width < 1)
    throw ShapeError(
        message("warp: the ", what, " of ", height, " by ", width, " pixels is empty"));
}

}  // namespace detail

/// The image at the given places, bilinear between pixel centres.
/// \throws ShapeError when the places are not (2, height, width), or the image is empty.
inline Image warp(const Image& x, const Places& at, const Border& border = {}) {
  detail::require_places(at);
  detail::require_pixels("image", x.extent(1), x.extent(2));
  const Index channels = x.extent(0), height = x.extent(1), width = x.extent(2);
  const Index rows = at.extent(1), columns = at.extent(2);
  Image y({channels, rows, columns});
  const auto out = y.mut();
  const auto in = x.view(), place = at.view();
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) {
      const float sx = place(0, i, j), sy = place(1, i, j);
      const bool good = detail::is_place(sx) && detail::is_place(sy);
      const float left = std::floor(good ? sx : 0), top = std::floor(good ? sy : 0);
      const float wx = good ? sx - left : 0, wy = good ? sy - top : 0;
      const Index column = static_cast<Index>(left), row = static_cast<Index>(top);
      const Index r[2] = {detail::inside_or_mirrored(row, height, border),
                          detail::inside_or_mirrored(row + 1, height, border)};
      const Index c[2] = {detail::inside_or_mirrored(column, width, border),
                          detail::inside_or_mirrored(column + 1, width, border)};
      for (Index k = 0; k < channels; ++k) {
        const auto pixel = [&](int a, int b) {
          return good && r[a] >= 0 && c[b] >= 0 ? in(k, r[a], c[b]) : border.fill;
        };
        const float upper = wx > 0 ? (1 - wx) * pixel(0, 0) + wx * pixel(0, 1) : pixel(0, 0);
        if (!(wy > 0)) {
          out(k, i, j) = upper;
          continue;
        }
        const float lower = wx > 0 ? (1 - wx) * pixel(1, 0) + wx * pixel(1, 1) : pixel(1, 0);
        out(k, i, j) = (1 - wy) * upper + wy * lower;
      }
    }
  return y;
}

/// The mask at the given places: the class of the nearest pixel, so that no new class appears.
/// \throws ShapeError as for images.
inline Mask warp(const Mask& x, const Places& at, const Border& border = {}) {
  detail::require_places(at);
  detail::require_pixels("mask", x.extent(0), x.extent(1));
  Mask y({at.extent(1), at.extent(2)});
  const auto out = y.mut();
  const auto in = x.view();
  const auto place = at.view();
  for (Index i = 0; i < y.extent(0); ++i)
    for (Index j = 0; j < y.extent(1); ++j) {
      const float sx = place(0, i, j), sy = place(1, i, j);
      out(i, j) = border.label;
      if (!detail::is_place(sx) || !detail::is_place(sy)) continue;
      const Index r = detail::inside_or_mirrored(static_cast<Index>(std::floor(sy + 0.5f)),
                                                 x.extent(0), border);
      const Index c = detail::inside_or_mirrored(static_cast<Index>(std::floor(sx + 0.5f)),
                                                 x.extent(1), border);
      if (r >= 0 && c >= 0) out(i, j) = in(r, c);
    }
  return y;
}

/// The places that `map` moves to the pixels of an image of the given size.
/// \throws ValueError when the map flattens the plane.
inline Places affine_places(Size2 size, const AffineMap& map) {
  const AffineMap back = map.inverse();
  const float cx = 0.5f * static_cast<float>(size.width - 1);
  const float cy = 0.5f * static_cast<float>(size.height - 1);
  Places at({2, size.height, size.width});
  const auto out = at.mut();
  for (Index i = 0; i < size.height; ++i)
    for (Index j = 0; j < size.width; ++j) {
      const float x = static_cast<float>(j) - cx, y = static_cast<float>(i) - cy;
      out(0, i, j) = back.xx * x + back.xy * y + back.x0 + cx;
      out(1, i, j) = back.yx * x + back.yy * y + back.y0 + cy;
    }
  return at;
}

/// Displacements drawn for every pixel from [-1, 1), smoothed by a Gaussian of deviation `sigma`
/// pixels and multiplied by `alpha`, added to each pixel's own place. Simard, Steinkraus & Platt,
/// "Best practices for convolutional neural networks applied to visual document analysis",
/// ICDAR 2003. \throws ValueError when sigma is not in (0, 1000].
inline Places elastic_places(Size2 size, float alpha, float sigma, RandomStream random) {
  if (!(sigma > 0 && sigma <= 1000))
    throw ValueError(message("elastic_places: a sigma of ", sigma,
                             " pixels was given; use a number above 0 and at most 1000"));
  const Index reach = static_cast<Index>(std::ceil(3 * sigma));
  std::vector<float> weights(static_cast<std::size_t>(2 * reach + 1));
  double sum = 0;
  for (Index k = -reach; k <= reach; ++k)
    sum += std::exp(-0.5 * static_cast<double>(k * k) / static_cast<double>(sigma * sigma));
  for (Index k = -reach; k <= reach; ++k)
    weights[static_cast<std::size_t>(k + reach)] = static_cast<float>(
        std::exp(-0.5 * static_cast<double>(k * k) / static_cast<double>(sigma * sigma)) / sum);

  Places noise({2, size.height, size.width}), along(noise.shape()), at(noise.shape());
  for (Index i = 0; i < noise.size(); ++i)
    noise.mutable_data()[i] = detail::spread(random, static_cast<std::uint64_t>(i), 1);
  const auto smooth = [&](const Places& from, const Places& to, bool rows) {
    const auto in = from.view();
    const auto out = to.mut();
    for (Index axis = 0; axis < 2; ++axis)
      for (Index i = 0; i < size.height; ++i)
        for (Index j = 0; j < size.width; ++j) {
          float total = 0;
          for (Index k = -reach; k <= reach; ++k)
            total += weights[static_cast<std::size_t>(k + reach)] *
                     (rows ? in(axis, mirrored_index(i + k, size.height), j)
                           : in(axis, i, mirrored_index(j + k, size.width)));
          out(axis, i, j) = total;
        }
  };
  smooth(noise, along, false);
  smooth(along, at, true);
  const auto out = at.mut();
  for (Index i = 0; i < size.height; ++i)
    for (Index j = 0; j < size.width; ++j) {
      out(0, i, j) = static_cast<float>(j) + alpha * out(0, i, j);
      out(1, i, j) = static_cast<float>(i) + alpha * out(1, i, j);
    }
  return at;
}

/// Displacements drawn from a normal distribution of `deviation` pixels at the nodes of a coarse
/// grid over the image, and between them by bicubic interpolation (Catmull and Rom's), as
/// Ronneberger et al. (MICCAI 2015) have it with a grid of 3 and a deviation of 10 pixels. \throws
/// ValueError when the grid has not 2 to 1000 nodes a side.
inline Places grid_places(Size2 size, Index nodes, float deviation, RandomStream random) {
  if (nodes < 2 || nodes > 1000)
    throw ValueError(
        message("grid_places: a grid of ", nodes, " nodes a side was given; use 2 to 1000"));
  struct Spot {
    Index node[4];
    float weight[4];
  };
  const auto spot = [nodes](Index i, Index extent) {
    const float t = extent > 1 ? static_cast<float>(i) * static_cast<float>(nodes - 1) /
                                     static_cast<float>(extent - 1)
                               : 0;
    const Index first = std::min(static_cast<Index>(t), nodes - 2);
    const float u = t - static_cast<float>(first);
    Spot s{{},
           {0.5f * u * (u * (2 - u) - 1), 0.5f * (u * u * (3 * u - 5) + 2),
            0.5f * u * (u * (4 - 3 * u) + 1), 0.5f * u * u * (u - 1)}};
    for (Index k = 0; k < 4; ++k) s.node[k] = std::clamp(first + k - 1, Index{0}, nodes - 1);
    return s;
  };
  Places at({2, size.height, size.width});
  const auto out = at.mut();
  std::vector<float> moves(static_cast<std::size_t>(2 * nodes * nodes));
  for (std::size_t k = 0; k < moves.size(); ++k) moves[k] = deviation * random.normal(k);
  for (Index i = 0; i < size.height; ++i) {
    const Spot row = spot(i, size.height);
    for (Index j = 0; j < size.width; ++j) {
      const Spot column = spot(j, size.width);
      for (Index axis = 0; axis < 2; ++axis) {
        float move = 0;
        for (int a = 0; a < 4; ++a)
          for (int b = 0; b < 4; ++b)
            move += row.weight[a] * column.weight[b] *
                    moves[static_cast<std::size_t>((axis * nodes + row.node[a]) * nodes +
                                                   column.node[b])];
        out(axis, i, j) = static_cast<float>(axis == 0 ? j : i) + move;
      }
    }
  }
  return at;
}

}  // namespace ebb::data
