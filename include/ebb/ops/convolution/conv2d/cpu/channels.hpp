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

/// How the target is shared out. A task takes some images, or a band of rows of one, and some
/// blocks of channels: the sums of its pixels, and the weights of a chunk of channels, stay near
/// the core.
struct ChannelTasks {
  Index batch, height;
  Index images;          ///< of a task, at most
  Index bands, band;     ///< of an image, and rows in each
  Index units;           ///< bands of all images, or handfuls of images
  Index splits, blocks;  ///< of the blocks of channels, and blocks in each
  Index chunk;           ///< channels that are summed over at a time
  Index pixels;          ///< of a task, at most

  /// For so many blocks of sums, whose weights take so many bytes for each channel.
  ChannelTasks(const TapPass& pass, Index all_blocks, Index weight_bytes)
      : batch(pass.g.batch), height(pass.target.height) {
    constexpr Index most_pixels = 800, least_pixels = 100, cache_bytes = 16 * 1024;
    const Size2 target = pass.target;
    const Index most = std::max(
        least_pixels,
        std::min(most_pixels, batch * target.area() * pass.g.groups * all_blocks / enough_tasks));
    images = std::clamp<Index>(most / target.area(), 1, batch);
    bands = divide_up(height, std::clamp<Index>(most / target.width, 1, height));
    band = divide_up(height, bands);
    units = divide_up(batch, images) * bands;
    splits = std::min(all_blocks, divide_up(enough_tasks, units * pass.g.groups));
    blocks = divide_up(all_blocks, splits);
    const Index fitting = std::max<Index>(1, cache_bytes / std::max<Index>(1, weight_bytes));
    chunk = divide_up(pass.channels, divide_up(pass.channels, fitting));
    pixels = images * band * target.width;
  }

  /// The images and the rows of one unit.
  struct Unit {
    Index image, images, row, rows;
  };
  Unit operator[](Index i) const {
    const auto [handful, at] = unravel(i, bands);
    const Index image = handful * images, row = std::min(at * band, height);
    return {image, std::min(images, batch - image), row, std::min(band, height - row)};
  }
};

/// A pass whose vectors run along the channels of the target.
template <class T>
class ChannelPass : TapPass {
 public:
  ChannelPass(const Conv2dGeometry& geometry, bool is_forward)
      : TapPass(geometry, is_forward),
        live_rows_(rows.live(g.kernel.height)),
        live_columns_(columns.live(g.kernel.width)),
        area_(static_cast<Index>(live_rows_.taps.size() * live_columns_.taps.size())),
        width_(tiles_.width()),
        blocks_(divide_up(sums, width_)) {}

  static bool packs_first() { return true; }
  Index packed() const { return g.groups * blocks_ * channels * area_ * width_; }

  /// Whether another pass over the same weights reads what this one packs: the same taps of them.
  bool reads_like(const ChannelPass& other) const {
    return live_rows_.taps == other.live_rows_.taps &&
           live_columns_.taps == other.live_columns_.taps;
  }

  /// Writes the weights as (group, block of sums, channel, tap, lane): of taps only those that some
  /// pixel sees, for on the smallest images most fall on padding alone; what hangs over the last
  /// register is zero. (A block of which one register holds all sums is read by tiles one register
  /// wide: nobody looks at its other half.)
  void pack(const T* w, T* to) const {
    std::vector<Index> taps;
    taps.reserve(static_cast<std::size_t>(area_));
    for (const Index i : live_rows_.taps)
      for (const Index j : live_columns_.taps) taps.push_back(i * g.kernel.width + j);
    // All taps of a channel, and going forward those of all channels, are a run of elements.
    const Index run = area_ < g.kernel.area() ? 0 : forward ? channels * area_ : area_;
    const Index block_size = channels * area_ * width_;
    parallel_for(g.groups * blocks_, g.groups * blocks_ * block_size, [&](Index task) {
      const auto [group, block] = unravel(task, blocks_);
      const Index first = block * width_, live = std::min(width_, sums - first), apart = along();
      const T* const from = w + group * sums * channels * g.kernel.area() + first * apart;
      T* out = to + task * block_size;
      for (Index c = 0; c < channels && run > 0; c += run / area_, out += run * width_)
        tiles_.from_planes(from + c * across(), apart, run, live, out, width_);
      for (Index c = 0; c < channels && run == 0; ++c)
        for (const Index tap : taps) {
          const T* const element = from + c * across() + tap;
          for (Index l = 0; l < live; ++l) out[l] = element[l * apart];
          for (Index l = live; l < width_; ++l) out[l] = T(0);
          out += width_;
        }
    });
  }

  void run(const T* x, MaybePacked<T> w, T* y, const simd::TileEpilogue<T>& end) const {
    // The sums of a chunk are added to those of the chunks before, so its size decides their
    // rounding: it is that of the widest registers.
    const ChannelTasks tasks(*this, blocks_,
                             std::max<Index>(1, area_) * 2 * sum_lanes<T> * Index{sizeof(T)});
    const Tables tables(*this, tasks.chunk);
    // (pixel, lane), and a row for sums that nobody wants.
    const Scratch<T> scratch = Scratch<T>::per_thread((tasks.pixels + 1) * width_);
    const Scratch<Index> lists = Scratch<Index>::per_thread(2 * tasks.pixels + pairs() + 1);
    parallel_for(tasks.units * g.groups * tasks.splits, g.macs() / 4, [&](Index task) {
      const auto [unit, group, split] = unravel(task, g.groups, tasks.splits);
      const ChannelTasks::Unit part = tasks[unit];
      const T* const seen = x + (part.image * g.groups + group) * channels * source.area();
      const Pixels pixels = list(part, tasks.pixels, lists.mine());
      const Index begin = split * tasks.blocks;
      for (Index b = begin; b < std::min(blocks_, begin + tasks.blocks); ++b) {
        const T* const weights = w.data + (group * blocks_ + b) * channels * area_ * width_;
        sum_block(pixels, seen, weights, std::min(width_, sums - b * width_), tables, tasks.chunk,
                  scratch.mine());
        store_block(part, group * sums + b * width_, std::min(width_, sums - b * width_),
                    scratch.mine(), y, end);
      }
    });
  }

 private:
  /// What tiles sum over, for each pair of a class of rows and one of columns: offsets in the
  /// source and in the weights.
  struct Tables {
    Scratch<Index> taps;     ///< for each pair (source or weights, tap)
    Scratch<Index> channel;  ///< (source or weights, channel), where a single tap is seen
    std::vector<simd::ChannelSum> pair;

    Tables(const ChannelPass& p, Index chunk) : taps(2 * p.entries()), channel(2 * chunk) {
      const auto across_row = static_cast<Index>(p.live_columns_.taps.size());
      const Index* const row_place = p.live_rows_.place.data();
      const Index* const column_place = p.live_columns_.place.data();
      const Index shift = p.columns.shift, step = p.columns.step, width = p.width_;
      pair.reserve(static_cast<std::size_t>(p.pairs()));
      Index* entry = taps.data();
      for (const TapAxis::Class& r : p.rows.classes)
        for (const TapAxis::Class& q : p.columns.classes) {
          const Index count = r.count * q.count;
          pair.push_back({0, p.source.area(), p.area_ * p.width_, count, entry, entry + count});
          for (Index i = 0; i < r.count; ++i) {
            const Index row = i * p.rows.shift * p.source.width;
            const Index place = row_place[r.first + i * p.rows.step] * across_row;
            for (Index j = 0; j < q.count; ++j, ++entry) {
              entry[0] = row + j * shift;
              entry[count] = (place + column_place[q.first + j * step]) * width;
            }
          }
          entry += count;
        }
      for (Index c = 0; c < chunk; ++c) {
        channel.data()[c] = c * p.source.area();
        channel.data()[chunk + c] = c * p.area_ * p.width_;
      }
    }

    /// Over `count` channels from `c` on for pair `k`, whose weights `right` begin at channel c.
    simd::ChannelSum sum(std::size_t k, Index count, Index chunk, const T*& right) const {
      simd::ChannelSum what = pair[k];
      what.outer = what.inner > 0 ? count : 0;
      if (what.inner != 1) return what;
      right += what.b_offset[0];
      return {1, 0, 0, count, channel.data(), channel.data() + chunk};
    }
  };

  /// The pixels of a task, one pair of classes after the other.
  struct Pixels {
    const Index *from, *to, *start;  ///< where each sees its first tap; its place among the sums
    Index idle;                      ///< place of sums that nobody wants
  };
  Pixels list(const ChannelTasks::Unit& part, Index most, Index* memory) const {
    Index *const from = memory, *const to = from + most, *start = to + most;
    const Pixels pixels{from, to, start, most};
    const Index* const column_from = columns.from.data();
    const Index image = g.groups * channels * source.area();
    Index count = 0;
    for (std::size_t k = 0; k < rows.classes.size(); ++k)
      for (const TapAxis::Class& q : columns.classes) {
        *start++ = count;
        for (Index n = 0; n < part.images; ++n)
          for (Index r = 0; r < part.rows; ++r) {
            const auto at = static_cast<std::size_t>(part.row + r);
            if (rows.class_of[at] != static_cast<Index>(k)) continue;
            const Index seen = n * image + rows.from[at] * source.width;
            const Index place = (n * part.rows + r) * target.width;
            for (const Index p : q.positions) {
              from[count] = seen + column_from[p];
              to[count++] = place + p;
            }
          }
      }
    *start = count;
    return pixels;
  }

  /// The sums (pixel, lane) of one block of channels.
  void sum_block(const Pixels& pixels, const T* seen, const T* weights, Index live,
                 const Tables& tables, Index chunk, T* sum) const {
    const T* a[simd::ChannelTiles<T>::most_rows];
    T* out[simd::ChannelTiles<T>::most_rows];
    const Index *const from = pixels.from, *const to = pixels.to, width = width_;
    for (Index c = 0; c < channels; c += chunk)
      for (Index k = 0; k < pairs(); ++k) {
        const T* right = weights + c * area_ * width;
        const simd::ChannelSum what =
            tables.sum(static_cast<std::size_t>(k), std::min(chunk, channels - c), chunk, right);
        const T* const origin = seen + c * source.area();
        const Index last = pixels.start[k + 1];
        for (Index at = pixels.start[k]; at < last;) {
          const auto& tile = tiles_.tile(last - at, live);
          const Index rows_of_tile = tile.rows;
          for (Index i = 0; i < rows_of_tile; ++i) {
            const bool counts = at + i < last;
            a[i] = origin + from[counts ? at + i : at];
            out[i] = sum + (counts ? to[at + i] : pixels.idle) * width;
          }
          tile.run(what, a, right, out, {nullptr, c > 0, false}, 1);
          at += rows_of_tile;
        }
      }
  }

  /// Transposes the sums of `live` channels from `channel` on into their planes of the target.
  void store_block(const ChannelTasks::Unit& part, Index channel, Index live, const T* sum, T* y,
                   const simd::TileEpilogue<T>& end) const {
    const Index run = part.rows * target.width;
    const simd::TileEpilogue<T> last = end.from(channel);
    for (Index n = 0; n < part.images; ++n) {
      T* const to = y + ((part.image + n) * g.groups * sums + channel) * target.area() +
                    part.row * target.width;
      tiles_.to_planes(sum + n * run * width_, width_, run, live, to, target.area(), last);
      last.afterwards.rows(to, target.area(), live, run);
    }
  }

  simd::ChannelTiles<T> tiles_ = simd::channel_tiles<T>();
  TapAxis::Live live_rows_, live_columns_;  ///< taps that some pixel sees
  Index area_;                              ///< of them
  Index width_, blocks_;                    ///< lanes of a block; blocks of sums
};

}  // namespace ebb::kernel::detail
