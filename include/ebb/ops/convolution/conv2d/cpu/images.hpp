/// \file
/// Convolution with vectors that run along images: some of a batch are laid side by side, pixel by
/// pixel, and a weight is broadcast against the same pixel of them all. For images too small and
/// channels too few to fill registers otherwise: neither the edges of an image nor an odd number of
/// channels leave lanes empty, and padding costs nothing (taps.hpp).
#pragma once

#include <ebb/device/cpu/scratch.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/ops/convolution/conv2d/cpu/channel_tiles.hpp>
#include <ebb/ops/convolution/conv2d/cpu/image_bands.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// A pass whose vectors run along images.
template <class T>
struct ImagePass : ImageBands {
  using Tiles = simd::ChannelTiles<T>;

  ImagePass(const Conv2dGeometry& geometry, bool is_forward)
      : ImageBands(geometry, is_forward, simd::channel_tiles<T>().width(), sizeof(T)) {}

  /// Weights are read as they lie.
  static bool packs_first() { return false; }
  static Index packed() { return 0; }
  static void pack(const T*, T*) {}

  void run(const T* x, MaybePacked<T> weights, T* y, const simd::TileEpilogue<T>& end) const {
    const Tiles tiles = simd::channel_tiles<T>();
    const T* const w = weights.data;
    const Index blocks = divide_up(g.batch, width), band = this->band(),
                bands = divide_up(target.height, band);
    const Index plane = seen_by(band) * source.width * width;

    const Scratch<Index> table(2 * (entries() + pairs() * channels));
    const std::vector<simd::ChannelSum> pair = sums_of_pairs(table.data(), plane);
    const std::vector<Run> runs = runs_of_columns();
    const Index line = target.width * width;
    const Scratch<T> scratch = Scratch<T>::per_thread(channels * plane + (sums * band + 1) * line);
    parallel_for(blocks * g.groups * bands, g.macs() / 4, [&](Index task) {
      const auto [block, group, strip] = unravel(task, g.groups, bands);
      const Index r0 = strip * band, height = std::min(band, target.height - r0);
      const Index n0 = block * width;
      const Index images = std::min(width, g.batch - n0);
      const Rows visible = seen(r0, height);
      T* const from = scratch.mine();          // (channel, row, column, image)
      T* const sum = from + channels * plane;  // (sum, row, column, image)
      T* const idle = sum + sums * band * line;
      if (images <= tiles.lanes)
        for (Index i = 0; i < channels * plane; ++i) from[i] = T(0);
      for (Index c = 0; c < channels; ++c)
        tiles.from_planes(x + ((n0 * g.groups + group) * channels + c) * source.area() +
                              visible.first * source.width,
                          g.groups * channels * source.area(), visible.count * source.width, images,
                          from + c * plane, width);

      for (Index r = r0; r < r0 + height; ++r) {
        const auto at = static_cast<std::size_t>(r);
        const std::size_t first =
            columns.classes.size() * static_cast<std::size_t>(rows.class_of[at]);
        const T* const row = from + (rows.from[at] - visible.first) * source.width * width;
        for (Index s = 0; s < sums;) {
          const auto& tile = tiles.tile(sums - s, width);
          const T* a[Tiles::most_rows];
          T *to[Tiles::most_rows], *out[Tiles::most_rows], bias[Tiles::most_rows];
          for (Index i = 0; i < tile.rows; ++i) {
            const Index live = std::min(s + i, sums - 1);
            a[i] = w + group * sums * channels * g.kernel.area() + live * along();
            bias[i] = end.bias ? end.bias[group * sums + live] : T(0);
            to[i] = s + i < sums ? sum + (live * height + r - r0) * line : idle;
          }
          for (const Run& run : runs) {
            for (Index i = 0; i < tile.rows; ++i) out[i] = to[i] + run.first * width;
            tile.run(pair[first + run.columns], a, row + run.from * width, out,
                     {end.bias ? bias : nullptr, false, end.relu && !end.add}, run.count);
          }
          s += tile.rows;
        }
      }
      const Index run = height * target.width, image = g.groups * sums * target.area();
      for (Index s = 0; s < sums; ++s) {
        T* const to = y + ((n0 * g.groups + group) * sums + s) * target.area() + r0 * target.width;
        tiles.to_planes(sum + s * height * line, width, run, images, to, image,
                        {nullptr, end.add, end.relu && end.add});
        end.afterwards.rows(to, image, images, run);
      }
    });
  }

 private:
  /// Neighbours of a row of the target that see the same taps, one pixel of the source after the
  /// other.
  struct Run {
    std::size_t columns;  ///< their class
    Index first, count, from;
  };
  std::vector<Run> runs_of_columns() const {
    std::vector<Run> runs;
    for (Index q = 0; q < target.width; ++q) {
      const auto at = static_cast<std::size_t>(q);
      const auto now = static_cast<std::size_t>(columns.class_of[at]);
      if (!runs.empty() && runs.back().columns == now &&
          runs.back().from + runs.back().count == columns.from[at])
        ++runs.back().count;
      else
        runs.push_back({now, q, 1, columns.from[at]});
    }
    return runs;
  }

  /// What tiles sum over, for each pair of a class of rows and one of columns: channels and taps,
  /// or the channels alone where a single tap is seen.
  std::vector<simd::ChannelSum> sums_of_pairs(Index* a, Index plane) const {
    std::vector<simd::ChannelSum> pair;
    for (const TapAxis::Class& r : rows.classes)
      for (const TapAxis::Class& q : columns.classes) {
        const Index taps = r.count * q.count, inner = taps == 1 ? channels : taps;
        const Index first = r.first * g.kernel.width + q.first;
        Index* const b = a + inner;
        if (taps == 1)
          pair.push_back({1, 0, 0, inner, a, b});
        else
          pair.push_back({taps > 0 ? channels : 0, across(), plane, inner, a, b});
        for (Index c = 0; taps == 1 && c < channels; ++c) {
          a[c] = first + c * across();
          b[c] = c * plane;
        }
        for (Index i = 0; taps != 1 && i < r.count; ++i)
          for (Index j = 0; j < q.count; ++j) {
            a[i * q.count + j] = first + i * rows.step * g.kernel.width + j * columns.step;
            b[i * q.count + j] = (i * rows.shift * source.width + j * columns.shift) * width;
          }
        a = b + inner;
      }
    return pair;
  }
};

}  // namespace ebb::kernel::detail
