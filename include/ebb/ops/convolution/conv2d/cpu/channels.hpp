/// \file
/// Convolution with vectors that run along channels: a pixel of the source is broadcast against the
/// weights that lead from its channel to the channels of the target, so that the source is read
/// where it lies, whatever strides and dilations are, and padding costs nothing (taps.hpp). The
/// sums of some pixels are gathered channel by channel and transposed into the planes of the
/// target. Registers hold a few pixels times a few channels, as in Georganas et al., "Anatomy of
/// high-performance deep learning convolutions on SIMD architectures", SC 2018.
#pragma once

#include <ebb/device/cpu/scratch.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/ops/convolution/conv2d/cpu/channel_tiles.hpp>
#include <ebb/ops/convolution/conv2d/cpu/taps.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Tasks that a pass is cut into at least, where it has so much work.
inline constexpr Index enough_tasks = 32;

/// A pass whose vectors run along the channels of the target.
template <class T>
struct ChannelPass : TapPass {
  using TapPass::TapPass;

  /// The weights, as [block of `width` sums][channel][tap][sum], of group after group, of those
  /// `taps` that are seen; what hangs over the last register is zero. (A block of which one
  /// register holds all sums is read by tiles one register wide: nobody looks at its other half.)
  void pack(const simd::ChannelTiles<T>& tiles, const std::vector<Index>& taps, const T* w,
            T* packed) const {
    const Index width = tiles.width(), blocks = divide_up(sums, width);
    const auto area = static_cast<Index>(taps.size());
    // All taps of a channel, and going forward those of all channels, are a run of elements.
    const Index length = area < g.kernel.area() ? 0 : forward ? channels * area : area;
    parallel_for(g.groups * blocks, g.groups * blocks * width * channels * area, [&](Index task) {
      const Index group = task / blocks, first = task % blocks * width;
      const Index live = std::min(width, sums - first), apart = along();
      const T* const from = w + group * sums * channels * g.kernel.area() + first * apart;
      T* to = packed + task * width * channels * area;
      for (Index c = 0; c < channels && length > 0; c += length / area, to += length * width)
        tiles.from_planes(from + c * across(), apart, length, live, to, width);
      for (Index c = 0; c < channels && length == 0; ++c)
        for (const Index tap : taps) {
          const T* const element = from + c * across() + tap;
          for (Index l = 0; l < live; ++l) to[l] = element[l * apart];
          for (Index l = live; l < width; ++l) to[l] = T(0);
          to += width;
        }
    });
  }

  void run(const T* x, const T* w, T* y, const simd::TileEpilogue<T>& end) const {
    const simd::ChannelTiles<T> tiles = simd::channel_tiles<T>();
    const Index width = tiles.width(), blocks = divide_up(sums, width);
    // Taps that fall on padding alone, as most do on the smallest images, are left out.
    const TapAxis::Live live_rows = rows.live(g.kernel.height);
    const TapAxis::Live live_columns = columns.live(g.kernel.width);
    const auto across_row = static_cast<Index>(live_columns.taps.size());
    std::vector<Index> taps;
    taps.reserve(live_rows.taps.size() * live_columns.taps.size());
    for (const Index i : live_rows.taps)
      for (const Index j : live_columns.taps) taps.push_back(i * g.kernel.width + j);
    const auto area = static_cast<Index>(taps.size());
    const Scratch<T> packed(g.groups * blocks * width * channels * area);
    pack(tiles, taps, w, packed.data());

    // Offsets of taps, for each pair of a class of rows and one of columns.
    const Index* const row_place = live_rows.place.data();
    const Index* const column_place = live_columns.place.data();
    const Scratch<Index> table(2 * entries());
    std::vector<simd::ChannelSum> pair;
    Index* entry = table.data();
    for (const TapAxis::Class& r : rows.classes)
      for (const TapAxis::Class& q : columns.classes) {
        const Index count = r.count * q.count;
        pair.push_back({0, source.area(), area * width, count, entry, entry + count});
        for (Index i = 0; i < r.count; ++i)
          for (Index j = 0; j < q.count; ++j, ++entry) {
            entry[0] = i * rows.shift * source.width + j * columns.shift;
            entry[count] = (row_place[r.first + i * rows.step] * across_row +
                            column_place[q.first + j * columns.step]) *
                           width;
          }
        entry += count;
      }

    // A task: some images, or a band of rows of one, for some blocks of channels. The sums of its
    // pixels and the weights of a chunk of channels stay near the core.
    constexpr Index many = 800, few = 100, nearest = 16 * 1024;
    const Index most =
        std::max(few, std::min(many, g.batch * target.area() * g.groups * blocks / enough_tasks));
    const Index together = std::clamp<Index>(most / target.area(), 1, g.batch);
    const Index bands =
        divide_up(target.height, std::clamp<Index>(most / target.width, 1, target.height));
    const Index band = divide_up(target.height, bands),
                units = divide_up(g.batch, together) * bands;
    const Index splits = std::min(blocks, divide_up(enough_tasks, units * g.groups)),
                each = divide_up(blocks, splits);
    // The sums of a chunk are added to those of the chunks before, so its size decides their
    // rounding: it is that of the widest registers.
    const Index bytes = std::max<Index>(1, area) * 2 * sum_lanes<T> * Index{sizeof(T)};
    const Index chunks = divide_up(channels, std::max<Index>(1, nearest / bytes));
    const Index chunk = divide_up(channels, chunks), pixels = together * band * target.width;
    // Where a single tap is seen, the inner loop runs over the channels.
    const Scratch<Index> single(2 * chunk);
    for (Index c = 0; c < chunk; ++c) {
      single.data()[c] = c * source.area();
      single.data()[chunk + c] = c * area * width;
    }
    const Scratch<T> scratch = Scratch<T>::per_thread((pixels + 1) * width);
    const Scratch<Index> lists = Scratch<Index>::per_thread(2 * pixels + pairs() + 1);

    parallel_for(units * g.groups * splits, g.macs() / 4, [&](Index task) {
      const Index split = task % splits, group = task / splits % g.groups;
      const Index unit = task / splits / g.groups;
      const Index n0 = unit / bands * together, images = std::min(together, g.batch - n0);
      const Index r0 = std::min(unit % bands * band, target.height),
                  r1 = std::min(r0 + band, target.height);
      const Index source_image = g.groups * channels * source.area();
      const T* const origin = x + n0 * source_image + group * channels * source.area();
      T* const sum = scratch.mine();
      Index *const from = lists.mine(), *const to = from + pixels, *const start = to + pixels;
      list(images, source_image, r0, r1, from, to, start);

      for (Index b = split * each; b < std::min(blocks, (split + 1) * each); ++b) {
        const Index live = std::min(width, sums - b * width);
        const T* const weights = packed.data() + (group * blocks + b) * channels * area * width;
        for (Index c = 0; c < channels; c += chunk)
          for (Index k = 0; k < pairs(); ++k) {
            simd::ChannelSum what = pair[static_cast<std::size_t>(k)];
            const Index count = std::min(chunk, channels - c);
            const T* right = weights + c * area * width;
            what.outer = what.inner > 0 ? count : 0;
            if (what.inner == 1) {
              right += what.b_offset[0];
              what = {1, 0, 0, count, single.data(), single.data() + chunk};
            }
            const T* a[simd::ChannelTiles<T>::most_rows];
            T* out[simd::ChannelTiles<T>::most_rows];
            for (Index at = start[k]; at < start[k + 1];) {
              const auto& tile = tiles.tile(start[k + 1] - at, live);
              for (Index i = 0; i < tile.rows; ++i) {
                const bool counts = at + i < start[k + 1];
                a[i] = origin + c * source.area() + from[counts ? at + i : at];
                out[i] = sum + (counts ? to[at + i] : pixels) * width;
              }
              tile.run(what, a, right, out, {nullptr, c > 0, false}, 1);
              at += tile.rows;
            }
          }
        const Index channel = group * sums + b * width, run = (r1 - r0) * target.width;
        const simd::TileEpilogue<T> last = end.from(channel);
        for (Index n = 0; n < images; ++n) {
          T* const part =
              y + ((n0 + n) * g.groups * sums + channel) * target.area() + r0 * target.width;
          tiles.to_planes(sum + n * run * width, width, run, live, part, target.area(), last);
          last.afterwards.rows(part, target.area(), live, run);
        }
      }
    });
  }

 private:
  /// The pixels of a task, one pair of classes after the other: where each sees its first tap, and
  /// its place among the sums.
  void list(Index images, Index source_image, Index r0, Index r1, Index* from, Index* to,
            Index* start) const {
    Index count = 0;
    for (std::size_t k = 0; k < rows.classes.size(); ++k)
      for (const TapAxis::Class& q : columns.classes) {
        *start++ = count;
        for (Index n = 0; n < images; ++n)
          for (Index r = r0; r < r1; ++r) {
            const auto at = static_cast<std::size_t>(r);
            if (rows.class_of[at] != static_cast<Index>(k)) continue;
            for (const Index p : q.positions) {
              from[count] = n * source_image + rows.from[at] * source.width +
                            columns.from[static_cast<std::size_t>(p)];
              to[count++] = (n * (r1 - r0) + r - r0) * target.width + p;
            }
          }
      }
    *start = count;
  }
};

}  // namespace ebb::kernel::detail
