/// \file
/// Images of any size, a tile at a time: the overlap-tile strategy of Ronneberger, Fischer & Brox,
/// "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015, figure 2.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/tape/var.hpp>

#include <algorithm>
#include <vector>

namespace ebb::inline EBB_ABI::models {

struct TileOptions {
  Size2 tile = 256;    ///< what the network sees at a time
  Size2 margin = 64;   ///< of a tile, on each of its sides: context for what is inside
  bool blend = false;  ///< false: margins are cut off; true: neighbours fade into one another
};

namespace detail {

/// Where a tile begins along an axis, maybe outside of the image, and what each of its pixels
/// counts there.
struct TileSpan {
  Index begin = 0;
  std::vector<float> weight;
};

/// Tiles along an axis of n pixels: the insides, of tile - 2 margin pixels each, lie side by side
/// from 0 on. Weights of one pixel add up to 1; those outside of the image are 0.
inline std::vector<TileSpan> tile_spans(Index n, Index tile, Index margin, bool blend) {
  const Index inside = tile - 2 * margin, count = (n + inside - 1) / inside;
  std::vector<TileSpan> spans(static_cast<std::size_t>(count));
  std::vector<double> sum(static_cast<std::size_t>(n), 0.0);
  // From the edge on, half a pixel in, up to the full weight at the far edge of the neighbour.
  const auto counts = [&](Index i) {
    const Index edge = std::min(i, tile - 1 - i);
    if (!blend || margin == 0) return edge >= margin ? 1.0 : 0.0;
    return std::min(1.0, (static_cast<double>(edge) + 0.5) / static_cast<double>(2 * margin));
  };
  const auto each_inside = [&](TileSpan& span, auto&& f) {
    for (Index i = 0; i < tile; ++i)
      if (span.begin + i >= 0 && span.begin + i < n)
        f(sum[static_cast<std::size_t>(span.begin + i)], i);
  };
  for (Index k = 0; k < count; ++k) {
    TileSpan& span = spans[static_cast<std::size_t>(k)];
    span.begin = k * inside - margin;
    span.weight.assign(static_cast<std::size_t>(tile), 0.0f);
    each_inside(span, [&](double& total, Index i) { total += counts(i); });
  }
  for (TileSpan& span : spans)
    each_inside(span, [&](double& total, Index i) {
      span.weight[static_cast<std::size_t>(i)] = static_cast<float>(counts(i) / total);
    });
  return spans;
}

/// Index i of an axis of n pixels mirrored at its ends, which are not repeated: 2 1 0 1 2 ...
inline Index mirrored(Index i, Index n) {
  if (n == 1) return 0;
  const Index period = 2 * (n - 1), at = (i % period + period) % period;
  return at < n ? at : period - at;
}

/// The tile (1, c, h, w) of image `n` of x that begins at (top, left); outside, x is mirrored.
template <class T>
Tensor<T, 4> cut_tile(const Tensor<T, 4>& x, Index n, Index top, Index left, Size2 size) {
  const Index channels = x.extent(1), height = x.extent(2), width = x.extent(3);
  Tensor<T, 4> tile({1, channels, size.height, size.width});
  T* to = tile.mutable_data();
  for (Index c = 0; c < channels; ++c)
    for (Index i = 0; i < size.height; ++i) {
      const T* const row =
          x.data() + ((n * channels + c) * height + mirrored(top + i, height)) * width;
      for (Index j = 0; j < size.width; ++j) *to++ = row[mirrored(left + j, width)];
    }
  return tile;
}

/// y of image `n` += the tile, weighted; places of no weight are left alone.
template <class T>
void add_tile(Tensor<T, 4>& y, const Tensor<T, 4>& tile, Index n, const TileSpan& down,
              const TileSpan& across) {
  const Index channels = y.extent(1), height = y.extent(2), width = y.extent(3);
  const auto rows = static_cast<Index>(down.weight.size());
  const auto columns = static_cast<Index>(across.weight.size());
  for (Index c = 0; c < channels; ++c)
    for (Index i = 0; i < rows; ++i) {
      const float part = down.weight[static_cast<std::size_t>(i)];
      if (part == 0) continue;
      T* const to = y.mutable_data() + ((n * channels + c) * height + down.begin + i) * width;
      const T* const from = tile.data() + (c * rows + i) * columns;
      for (Index j = 0; j < columns; ++j) {
        const float weight = part * across.weight[static_cast<std::size_t>(j)];
        if (weight != 0) {
          T& sum = to[across.begin + j];
          sum = static_cast<T>(sum + static_cast<T>(weight) * from[j]);
        }
      }
    }
}

}  // namespace detail

/// net(x) for images (n, c, h, w) of any size, one tile after the other, so that the network's
/// memory is that of one tile: (n, k, h, w), where `net` gives (1, k, height, width) for a tile (1,
/// c, height, width). What lies outside of an image is its mirror image, as often as it takes; an
/// image smaller than a tile is one tile.
///
/// Where the margin is at least what the network reaches (`UNet::reach()`), a pixel's result is
/// what the network gives for the whole image, mirrored at its borders. A network that halves its
/// images, as a U-Net of depth d does, sees the same pixels in the same groups only where tile and
/// margin are multiples of 2^d. With a smaller margin results differ, and are seen to at the seams;
/// `.blend` hides those. A layer that looks at all of its input (group norm, a mean over the image)
/// looks at a tile here. T may be bytes, so that a large image need not become floats as a whole:
/// `net` takes tiles of bytes then and gives bytes, a mask say, and there is no blending.
/// \throws ValueError when tiles have no inside; ShapeError when x is empty, or the network does
/// not keep height and width.
template <class Net, class T, class Device>
Tensor<T, 4, Device> tiled(const Net& net, const Tensor<T, 4, Device>& x,
                           const TileOptions& options = {}) {
  const Size2 tile = options.tile, margin = options.margin;
  if (margin.height < 0 || margin.width < 0 || tile.height <= 2 * margin.height ||
      tile.width <= 2 * margin.width)
    throw ValueError(message("tiled: tiles of ", tile, " pixels with margins of ", margin,
                             " on each side have no inside; use margins of 0 or more, and tiles of "
                             "more than twice as much"));
  if (x.size() == 0)
    throw ShapeError(message("tiled: images of shape ", x.shape(),
                             " are empty; give (n, channels, "
                             "height, width) of 1 or more each"));
  const auto down = detail::tile_spans(x.extent(2), tile.height, margin.height, options.blend);
  const auto across = detail::tile_spans(x.extent(3), tile.width, margin.width, options.blend);
  const auto images = to<Cpu>(x);
  Tensor<T, 4> y;
  for (Index n = 0; n < x.extent(0); ++n)
    for (const auto& row : down)
      for (const auto& column : across) {
        const auto part =
            to<Cpu>(net(to<Device>(detail::cut_tile(images, n, row.begin, column.begin, tile))));
        static_assert(std::is_same_v<decltype(part), const Tensor<T, 4>>,
                      "ebb::models::tiled: the network must give an image (1, k, height, width)");
        const auto got = part.shape();
        if (got[0] != 1 || got[2] != tile.height || got[3] != tile.width ||
            (y.defined() && got[1] != y.extent(1)))
          throw ShapeError(
              message("tiled: for a tile of ", tile, " pixels the network gave ", got,
                      "; it must keep height and width, as padded convolutions do, and give "
                      "as many channels for every tile"));
        if (!y.defined()) y = Tensor<T, 4>::zeros({x.extent(0), got[1], x.extent(2), x.extent(3)});
        detail::add_tile(y, part, n, row, column);
      }
  return to<Device>(y);
}

}  // namespace ebb::models
