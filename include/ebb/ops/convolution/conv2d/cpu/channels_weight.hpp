/// \file
/// The gradient of the weight with vectors that run along the channels of dy.
///
/// dw[o][c][tap] is a sum over pixels of dy[o] times what the tap sees of x[c]. First dy is
/// transposed, so that one register holds the gradients of one pixel for many channels o. Then each
/// pixel of x is broadcast and multiplied with the registers of those outputs that it took part
/// in. The sums stay in registers over many pixels. No sum runs across the lanes of a register.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu/channels.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// The outputs along one axis that see tap `tap` inside of the image, and where they see it.
struct TapRange {
  Index begin, end, from;

  TapRange(Index tap, Index outputs, Index inputs, Index stride, Index padding, Index dilation) {
    const Index shift = tap * dilation - padding;  // output o sees o * stride + shift
    begin = shift < 0 ? divide_up(-shift, stride) : 0;
    end = shift >= inputs ? begin : std::min(outputs, (inputs - 1 - shift) / stride + 1);
    end = std::max(begin, end);
    from = begin * stride + shift;
  }
};

/// How the pixels that are summed over are cut up. A unit is some small images, or a band of rows
/// of one: its part of dy, transposed, stays in the nearest cache. Units are dealt to parts that
/// sum on their own: few, where a copy of dw for each is large. Parts decide in which order is
/// summed, so there are as many as the widest registers want.
template <class T>
struct WeightUnits {
  Index batch, height;
  bool whole;         ///< images are taken whole
  Index images;       ///< of a unit, at most
  Index bands, band;  ///< of an image, and rows in each
  Index count;
  Index each, parts;  ///< units of a part, and parts

  explicit WeightUnits(const Conv2dGeometry& g) : batch(g.batch), height(g.output.height) {
    constexpr Index small_pixels = 128, near_pixels = 256, most_sums = Index{1} << 22;
    whole = g.output.area() <= small_pixels;
    images = whole ? std::clamp<Index>(near_pixels / g.output.area(), 1, batch) : 1;
    bands = whole ? 1 : divide_up(height, std::max<Index>(1, near_pixels / g.output.width));
    band = divide_up(height, bands);
    count = divide_up(batch, images) * bands;
    constexpr Index widest = 2 * sum_lanes<T>;
    const Index blocks = divide_up(g.group_out(), widest) * g.groups;
    const Index wanted =
        std::clamp<Index>(divide_up(enough_tasks, blocks), 1,
                          std::max<Index>(1, most_sums / (blocks * widest * g.taps())));
    each = divide_up(count, std::min(count, wanted));
    parts = divide_up(count, each);
  }

  using Unit = ChannelTasks::Unit;
  Unit operator[](Index i) const {
    const auto [handful, strip] = unravel(i, bands);
    const Index image = handful * images, row = std::min(strip * band, height);
    return {image, std::min(images, batch - image), row, std::min(band, height - row)};
  }
};

/// The pass itself. A tile sums over all of a unit: over images and the pixels in them that a tap
/// falls on, or over rows and columns.
template <class T>
class ChannelWeightPass {
 public:
  explicit ChannelWeightPass(const Conv2dGeometry& geometry)
      : g_(geometry),
        units_(g_),
        width_(tiles_.width()),
        blocks_(divide_up(g_.group_out(), width_)),
        entries_(units_.whole ? g_.output.area() : g_.output.width),
        table_(2 * entries_ * (units_.whole ? g_.kernel.area() : 1)) {
    for (Index i = 0; i < g_.kernel.height; ++i)
      row_.emplace_back(i, g_.output.height, g_.input.height, g_.stride.height, g_.padding.height,
                        g_.dilation.height);
    for (Index j = 0; j < g_.kernel.width; ++j)
      column_.emplace_back(j, g_.output.width, g_.input.width, g_.stride.width, g_.padding.width,
                           g_.dilation.width);
    if (!units_.whole)
      list(TapRange(0, 1, 1, 1, 0, 1), TapRange(0, g_.output.width, g_.output.width, 1, 0, 1), 0);
    for (Index t = 0; t < g_.kernel.area() && units_.whole; ++t) list(rows(t), columns(t), t);
  }

  void run(const T* x, const T* dy, T* dw, bool add) const {
    const Index taps = g_.taps(), block_size = width_ * taps;
    const Index size = g_.groups * blocks_ * block_size;
    const Scratch<T> sums(units_.parts * size);  // (part, group, block, channel, tap, lane)
    const Scratch<T> slopes =                    // (pixel, lane)
        Scratch<T>::per_thread(units_.images * units_.band * g_.output.width * width_);
    parallel_for(units_.parts * g_.groups * blocks_, g_.macs() / 4, [&](Index task) {
      const auto [part, group, block] = unravel(task, g_.groups, blocks_);
      const Index begin = part * units_.each;
      const Index end = std::min(units_.count, begin + units_.each);
      for (Index i = begin; i < end; ++i) {
        transpose(units_[i], group, block, dy, slopes.mine());
        sum_unit(units_[i], group, live(block), x, slopes.mine(), i > begin,
                 sums.data() + task * block_size);
      }
    });
    add_pieces(sums.data(), units_.parts, size, sums.data(), false);
    parallel_for(g_.groups * blocks_, size, [&](Index task) {
      const auto [group, block] = unravel(task, blocks_);
      const Index channel = group * g_.group_out() + block * width_;
      tiles_.to_planes(sums.data() + task * block_size, width_, taps, live(block),
                       dw + channel * taps, taps, {nullptr, add, false});
    });
  }

 private:
  using Unit = typename WeightUnits<T>::Unit;

  /// Channels of a block.
  Index live(Index block) const { return std::min(width_, g_.group_out() - block * width_); }
  const TapRange& rows(Index tap) const {
    return row_[static_cast<std::size_t>(tap / g_.kernel.width)];
  }
  const TapRange& columns(Index tap) const {
    return column_[static_cast<std::size_t>(tap % g_.kernel.width)];
  }

  /// Lists what a tile's inner loop runs over, as offsets in x and in the transposed dy: the pixels
  /// of an image that see a tap, or the columns of a row.
  void list(TapRange r, TapRange q, Index place) {
    const Index down = g_.stride.height * g_.input.width, along = g_.stride.width;
    const Index row = g_.output.width * width_, lanes = width_;
    Index *a = table_.data() + 2 * entries_ * place, *b = a + entries_;
    for (Index h = 0; h < r.end - r.begin; ++h)
      for (Index l = 0; l < q.end - q.begin; ++l) {
        *a++ = h * down + l * along;
        *b++ = (r.begin + h) * row + (q.begin + l) * lanes;
      }
  }

  /// The slopes (pixel, lane) of a unit for one block of channels.
  void transpose(const Unit& u, Index group, Index block, const T* dy, T* slopes) const {
    const Index channel = group * g_.group_out() + block * width_, run = u.rows * g_.output.width;
    for (Index n = 0; n < u.images; ++n)
      tiles_.from_planes(dy + ((u.image + n) * g_.out_channels + channel) * g_.output.area() +
                             u.row * g_.output.width,
                         g_.output.area(), run, live(block), slopes + n * run * width_, width_);
  }

  /// What a tap sums over in a unit, and where that begins in a plane of x and in the slopes.
  struct TapSum {
    simd::ChannelSum sum;
    Index from, slopes;
  };
  TapSum sum_of(Index tap, const Unit& u) const {
    const TapRange &r = rows(tap), &q = columns(tap);
    const Index first = std::max(r.begin, u.row), last = std::min(r.end, u.row + u.rows);
    const Index count = std::max<Index>(0, last - first), wide = q.end - q.begin;
    if (count == 0 || wide == 0) return {};
    const Index from = (r.from + (first - r.begin) * g_.stride.height) * g_.input.width + q.from;
    if (units_.whole) {
      const Index* const at = table_.data() + 2 * entries_ * tap;
      const Index image = g_.in_channels * g_.input.area();
      return {
          {u.images, image, g_.output.area() * width_, count * wide, at, at + entries_}, from, 0};
    }
    return {{count, g_.stride.height * g_.input.width, g_.output.width * width_, wide,
             table_.data(), table_.data() + entries_},
            from,
            ((first - u.row) * g_.output.width + q.begin) * width_};
  }

  /// sums (channel, tap, lane) (+)= those of a unit.
  void sum_unit(const Unit& u, Index group, Index live, const T* x, const T* slopes, bool adds,
                T* sums) const {
    const Index area = g_.kernel.area(), channels = g_.group_in(), plane = g_.input.area();
    const T* const origin = x + (u.image * g_.groups + group) * channels * plane;
    T idle[2 * simd::ChannelTiles<T>::most_lanes];
    const T* a[simd::ChannelTiles<T>::most_rows];
    T* out[simd::ChannelTiles<T>::most_rows];
    for (Index c = 0; c < channels;) {
      const auto& tile = tiles_.tile(channels - c, live);
      for (Index tap = 0; tap < area; ++tap) {
        const TapSum what = sum_of(tap, u);
        for (Index i = 0; i < tile.rows; ++i) {
          const bool counts = c + i < channels;
          a[i] = origin + (counts ? c + i : c) * plane + what.from;
          out[i] = counts ? sums + ((c + i) * area + tap) * width_ : idle;
        }
        tile.run(what.sum, a, slopes + what.slopes, out, {nullptr, adds, false}, 1);
      }
      c += tile.rows;
    }
  }

  const Conv2dGeometry& g_;
  simd::ChannelTiles<T> tiles_ = simd::channel_tiles<T>();
  WeightUnits<T> units_;
  Index width_, blocks_;  ///< lanes of a block; blocks of the channels of a group
  std::vector<TapRange> row_, column_;
  Index entries_;         ///< of the inner loop, at most
  Scratch<Index> table_;  ///< for each tap of whole images (x or slopes, entry)
};

}  // namespace ebb::kernel::detail
