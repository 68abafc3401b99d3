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

template <class T>
void conv2d_grad_weight_channels(const Conv2dGeometry& g, const T* x, const T* dy, T* dw,
                                 bool add) {
  const simd::ChannelTiles<T> tiles = simd::channel_tiles<T>();
  const Index width = tiles.width(), m = g.group_out(), blocks = divide_up(m, width);
  const Index area = g.kernel.area(), taps = g.taps(), channels = g.group_in();
  const Index pixels = g.output.area();

  // A unit of work: some small images, or a band of rows of one; its part of dy, transposed, stays
  // in the nearest cache. A tile sums over all of it: over images and the pixels in them that a
  // tap falls on, or over rows and columns.
  constexpr Index small = 128, near = 256;
  const bool whole = pixels <= small;
  const Index together = whole ? std::clamp<Index>(near / pixels, 1, g.batch) : 1;
  const Index bands =
      whole ? 1 : divide_up(g.output.height, std::max<Index>(1, near / g.output.width));
  const Index band = divide_up(g.output.height, bands);
  const Index units = divide_up(g.batch, together) * bands;
  // Units are dealt to parts that sum on their own: few, where a copy of dw for each is large.
  constexpr Index largest = Index{1} << 22;
  const Index size = blocks * g.groups * width * taps;
  // As many as the widest registers want, for parts decide in which order is summed.
  constexpr Index widest = 2 * sum_lanes<T>;
  const Index largest_blocks = divide_up(m, widest) * g.groups;
  const Index wanted =
      std::clamp<Index>(divide_up(enough_tasks, largest_blocks), 1,
                        std::max<Index>(1, largest / (largest_blocks * widest * taps)));
  const Index each = divide_up(units, std::min(units, wanted)), parts = divide_up(units, each);

  std::vector<TapRange> row, column;
  for (Index i = 0; i < g.kernel.height; ++i)
    row.emplace_back(i, g.output.height, g.input.height, g.stride.height, g.padding.height,
                     g.dilation.height);
  for (Index j = 0; j < g.kernel.width; ++j)
    column.emplace_back(j, g.output.width, g.input.width, g.stride.width, g.padding.width,
                        g.dilation.width);
  // What a tile's inner loop runs over, as offsets in x and in the transposed dy: the pixels of an
  // image, for each tap, or the columns of a row.
  const Index entries = whole ? pixels : g.output.width;
  const Scratch<Index> table(2 * entries * (whole ? area : 1));
  for (Index t = 0; t < (whole ? area : 1); ++t) {
    Index *a = table.data() + 2 * entries * t, *b = a + entries;
    const TapRange r =
        whole ? row[static_cast<std::size_t>(t / g.kernel.width)] : TapRange(0, 1, 1, 1, 0, 1);
    const TapRange q = whole ? column[static_cast<std::size_t>(t % g.kernel.width)]
                             : TapRange(0, g.output.width, g.output.width, 1, 0, 1);
    for (Index h = r.begin; h < r.end; ++h)
      for (Index l = q.begin; l < q.end; ++l) {
        *a++ = (h - r.begin) * g.stride.height * g.input.width + (l - q.begin) * g.stride.width;
        *b++ = (h * g.output.width + l) * width;
      }
  }

  const Scratch<T> sums(parts * size);
  const Scratch<T> scratch = Scratch<T>::per_thread(together * band * g.output.width * width);
  parallel_for(parts * g.groups * blocks, g.macs() / 4, [&](Index task) {
    const auto [part, group, block] = unravel(task, g.groups, blocks);
    const Index live = std::min(width, m - block * width);
    const Index channel = group * m + block * width;
    const Index image = g.in_channels * g.input.area();
    T* const slopes = scratch.mine();
    T* const to = sums.data() + part * size + (group * blocks + block) * width * taps;
    T idle[2 * simd::ChannelTiles<T>::most_lanes];
    for (Index unit = part * each; unit < std::min(units, (part + 1) * each); ++unit) {
      const auto [handful, strip] = unravel(unit, bands);
      const Index n0 = handful * together, images = std::min(together, g.batch - n0);
      const Index r0 = std::min(strip * band, g.output.height);
      const Index r1 = std::min(r0 + band, g.output.height), run = (r1 - r0) * g.output.width;
      for (Index n = 0; n < images; ++n)
        tiles.from_planes(dy + ((n0 + n) * g.out_channels + channel) * pixels + r0 * g.output.width,
                          pixels, run, live, slopes + n * run * width, width);
      const T* const origin = x + n0 * image + group * channels * g.input.area();
      const bool adds = unit > part * each;
      for (Index c = 0; c < channels;) {
        const auto& tile = tiles.tile(channels - c, live);
        for (Index t = 0; t < area; ++t) {
          const TapRange& r = row[static_cast<std::size_t>(t / g.kernel.width)];
          const TapRange& q = column[static_cast<std::size_t>(t % g.kernel.width)];
          const Index first = std::max(r.begin, r0), last = std::min(r.end, r1);
          const Index count = std::max<Index>(0, last - first), wide = q.end - q.begin;
          simd::ChannelSum sum{};
          Index from = 0;
          const T* b = slopes;
          if (count > 0 && wide > 0) {
            from = (r.from + (first - r.begin) * g.stride.height) * g.input.width + q.from;
            if (whole) {
              const Index* const at = table.data() + 2 * entries * t;
              sum = {images, image, pixels * width, count * wide, at, at + entries};
            } else {
              b += ((first - r0) * g.output.width + q.begin) * width;
              sum = {count,        g.stride.height * g.input.width, g.output.width * width, wide,
                     table.data(), table.data() + entries};
            }
          }
          const T* a[simd::ChannelTiles<T>::most_rows];
          T* out[simd::ChannelTiles<T>::most_rows];
          for (Index i = 0; i < tile.rows; ++i) {
            const bool counts = c + i < channels;
            a[i] = origin + (counts ? c + i : c) * g.input.area() + from;
            out[i] = counts ? to + ((c + i) * area + t) * width : idle;
          }
          tile.run(sum, a, b, out, {nullptr, adds, false}, 1);
        }
        c += tile.rows;
      }
    }
  });

  add_pieces(sums.data(), parts, size, sums.data(), false);
  parallel_for(g.groups * blocks, size, [&](Index task) {
    const T* const first = sums.data() + task * width * taps;
    const auto [group, block] = unravel(task, blocks);
    const Index channel = group * m + block * width;
    tiles.to_planes(first, width, taps, std::min(width, m - block * width), dw + channel * taps,
                    taps, {nullptr, add, false});
  });
}

}  // namespace ebb::kernel::detail
