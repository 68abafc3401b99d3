/// \file
/// Convolution with vectors that run along pixels, in lines as long as an image. Every weight is
/// broadcast and multiplied with what its tap sees of the line, and sums go straight into the
/// planes of the target. For a 1x1 kernel the planes of the source are such lines already. For
/// others, where there are few channels, the source is first laid out in such lines (planes.hpp).
#pragma once

#include <ebb/ops/convolution/conv2d/cpu/channel_tiles.hpp>
#include <ebb/ops/convolution/conv2d/cpu/planes.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Channels that one task computes: all, unless there are too few images to share out.
inline Index channels_per_task(Index channels, Index tasks) {
  return tasks >= 16 ? channels : std::max<Index>(32, divide_up(channels, 16));
}

/// Stores sums that have their bias.
template <class T>
void store_run(const T* from, Index count, const simd::InRegisters<T>& end, T* out) {
  for (Index l = 0; l < count; ++l) out[l] = end.finish(from[l], out + l);
}

/// y[r][p] (+)= the sum over taps k of a[r][sum.a_offset[k]] b[sum.b_offset[k] + p], plus bias[r],
/// for `rows` rows and `pixels` pixels; reads up to a tile's width beyond the last pixel.
template <class T>
void line_sums(const simd::ChannelTiles<T>& tiles, Index rows, Index pixels,
               const simd::ChannelSum& sum, const T* a, Index a_row, const T* b, T* y, Index y_row,
               const simd::TileEpilogue<T>& end) {
  using Tiles = simd::ChannelTiles<T>;
  const Index width = tiles.width();
  T edge[Tiles::most_rows * 2 * Tiles::most_lanes];
  for (Index p = 0; p < pixels;) {
    // Whole tiles, then what remains; what may not be written takes a detour over the edge.
    const Index repeat = (pixels - p) / width, left = repeat > 0 ? width : pixels - p;
    const Index next = p + std::max<Index>(1, repeat) * width;
    for (Index i = 0; i < rows;) {
      const auto& tile = tiles.tile(rows - i, left);
      const Index live = std::min(tile.rows, rows - i);
      const bool whole = (live == tile.rows || !end.add) && (left == width || left == tiles.lanes);
      const T* from[Tiles::most_rows];
      T *to[Tiles::most_rows], bias[Tiles::most_rows];
      for (Index r = 0; r < tile.rows; ++r) {
        const Index row = std::min(i + r, rows - 1);
        from[r] = a + row * a_row;
        to[r] = whole ? y + row * y_row + p : edge + r * width;
        bias[r] = end.bias ? end.bias[row] : T(0);
      }
      if (whole)
        tile.run(sum, from, b + p, to, {end.bias ? bias : nullptr, end.add, end.relu},
                 std::max<Index>(1, repeat));
      for (Index q = p; !whole && q < next; q += width) {
        tile.run(sum, from, b + q, to, {bias, false, false}, 1);
        for (Index r = 0; r < live; ++r)
          store_run<T>(edge + r * width, left, end, y + (i + r) * y_row + q);
      }
      end.afterwards.rows(y + i * y_row + p, y_row, live, std::min(next, pixels) - p);
      i += tile.rows;
    }
    p = next;
  }
}

/// A 1x1 convolution of stride 1, forward or the gradient of its input: for each image, one product
/// of the weights and the matrix of channels by pixels.
template <class T>
void conv2d_pointwise(const Conv2dGeometry& g, bool forward, const T* x, const T* w, T* y,
                      const simd::TileEpilogue<T>& end) {
  const simd::ChannelTiles<T> tiles = simd::channel_tiles<T>();
  const Index depth = forward ? g.in_channels : g.out_channels;
  const Index rows = forward ? g.out_channels : g.in_channels;
  const Index pixels = g.input.area(), width = tiles.width();
  // Element (row, k) of the weights.
  const Index a_row = forward ? depth : 1, a_column = forward ? 1 : rows;
  const Scratch<Index> table(2 * depth);
  for (Index k = 0; k < depth; ++k) {
    table.data()[k] = k * a_column;
    table.data()[depth + k] = k * width;
  }
  const simd::ChannelSum sum{1, 0, 0, depth, table.data(), table.data() + depth};
  const Index pieces = std::clamp<Index>(divide_up(32, g.batch), 1, divide_up(pixels, 4 * width));
  const Index piece = divide_up(divide_up(pixels, width), pieces) * width;
  const Scratch<T> scratch = Scratch<T>::per_thread(depth * width);

  parallel_for(g.batch * pieces, g.macs() / 4, [&](Index task) {
    const auto [n, at] = unravel(task, pieces);
    const Index begin = at * piece;
    const T* const from = x + n * depth * pixels;
    T* const panel = scratch.mine();  // (channel, lane)
    // A panel of pixels is copied so that its channels do not compete for the same cache lines.
    for (Index p = begin; p < std::min(pixels, begin + piece); p += width) {
      const Index left = std::min(width, pixels - p);
      for (Index k = 0; k < depth; ++k) {
        const T* row = from + k * pixels + p;
        T* const to = panel + k * width;
        if (left == width) {
          constexpr Index few = 32 / Index{sizeof(T)};
          for (Index l = 0; l < width; l += few) std::memcpy(to + l, row + l, 32);
        } else {
          for (Index l = 0; l < width; ++l) to[l] = l < left ? row[l] : T(0);
        }
      }
      line_sums(tiles, rows, left, sum, w, a_row, panel, y + n * rows * pixels + p, pixels, end);
    }
  });
}

/// The forward pass where there are few channels to sum over.
template <class T>
void conv2d_forward_lines(const Conv2dGeometry& g, const T* x, const T* w, T* y,
                          const simd::TileEpilogue<T>& end) {
  const simd::ChannelTiles<T> tiles = simd::channel_tiles<T>();
  const Index bytes = g.taps() * g.output.width * Index{sizeof(T)};
  const Planes planes(g, band_rows(g.output.height, bytes, g.batch * g.groups));
  const Index bands = divide_up(g.output.height, planes.band), m = g.group_out();
  const Index block = channels_per_task(m, g.batch * g.groups * bands);
  const Index blocks = divide_up(m, block), taps = g.taps();
  const Scratch<T> scratch = Scratch<T>::per_thread(planes.elements + planes.slack());
  const Scratch<Index> table(2 * taps);
  for (Index k = 0; k < taps; ++k) table.data()[k] = k;
  planes.offsets(table.data() + taps);
  const simd::ChannelSum sum{1, 0, 0, taps, table.data(), table.data() + taps};

  parallel_for(g.batch * g.groups * bands * blocks, g.macs() / 4, [&](Index task) {
    const auto [n, group, band, part] = unravel(task, g.groups, bands, blocks);
    const Index first = part * block, row = band * planes.band, channel = group * m + first;
    T* const source = scratch.mine();  // the planes: (channel, phase, kernel column, row, column)
    planes.fill(x + (n * g.in_channels + group * g.group_in()) * g.input.area(), row, source);
    line_sums(tiles, std::min(block, m - first),
              std::min(planes.band, g.output.height - row) * g.output.width, sum,
              w + channel * taps, taps, source,
              y + (n * g.out_channels + channel) * g.output.area() + row * g.output.width,
              g.output.area(), end.from(channel));
  });
}

}  // namespace ebb::kernel::detail
