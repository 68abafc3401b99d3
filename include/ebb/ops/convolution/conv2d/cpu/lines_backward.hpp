/// \file
/// The gradients of a convolution by lines of pixels (lines.hpp has the forward pass). Work is cut
/// into bands of rows by the geometry alone.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu/lines.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Pixels of the input that are one stride apart see the same taps. Each such phase is a
/// convolution of dy with stride 1, by the taps that fall on it.
struct Phase {
  Size2 first;  ///< its first pixel
  Index taps;   ///< of a kernel, that fall on it
  Index at;     ///< how many fall on the phases before
};

/// The gradient of the input; of the epilogue, a bias and an addition to what is there.
template <class T>
void conv2d_grad_input_lines(const Conv2dGeometry& g, const T* dy, const T* w, T* dx,
                             const simd::InRegisters<T>& end) {
  const simd::Tiles<T> tiles = simd::tiles<T>();
  const Size2 s = g.stride, d = g.dilation, p = g.padding;
  const Index m = g.group_in(), out = g.group_out(), area = g.kernel.area();
  // dy in one plane per channel: pixel h sees its rows from (h + p) / s - halo on.
  const Size2 halo{d.height * (g.kernel.height - 1) / s.height,
                   d.width * (g.kernel.width - 1) / s.width};
  const Index lowest = p.width / s.width;
  const Index width = (g.input.width - 1 + p.width) / s.width - lowest + 1 + halo.width;
  const Index bytes = out * width * Index{sizeof(T)};
  const Index band = band_rows(divide_up(g.input.height, s.height), bytes, g.batch * g.groups);
  const Index rows = band + 1 + halo.height, plane = rows * width;
  const Index slack = width + simd::Tiles<T>::most_columns;

  const Size2 phases{std::min(s.height, g.input.height), std::min(s.width, g.input.width)};
  const Scratch<Phase> phase(phases.area());
  const Scratch<Index> offset(out * area);
  const Scratch<T> weights(g.out_channels * m * area);
  const Scratch<Index> tap(area);  // i * width + j, phase by phase
  for (Index f = 0, at = 0; f < phases.area(); ++f) {
    Phase& now = phase.data()[f];
    now = {{f / phases.width, f % phases.width}, 0, at};
    for (Index i = 0; i < g.kernel.height; ++i)
      for (Index j = 0; j < g.kernel.width; ++j)
        if (i * d.height % s.height == (now.first.height + p.height) % s.height &&
            j * d.width % s.width == (now.first.width + p.width) % s.width)
          tap.data()[at + now.taps++] = i * g.kernel.width + j;
    at += now.taps;
    for (Index o = 0; o < out; ++o)
      for (Index t = 0; t < now.taps; ++t) {
        const Index i = tap.data()[now.at + t] / g.kernel.width;
        const Index j = tap.data()[now.at + t] % g.kernel.width;
        offset.data()[(now.at * out) + o * now.taps + t] =
            o * plane + (halo.height - i * d.height / s.height) * width + halo.width -
            j * d.width / s.width;
      }
  }
  // The weights of each phase as a matrix of input channels by (output channel, tap).
  constexpr Index some = 16;
  parallel_for(divide_up(g.in_channels, some), g.out_channels * m * area, [&](Index task) {
    const Index last = std::min((task + 1) * some, g.in_channels);
    for (Index f = 0; f < phases.area(); ++f) {
      const Phase& now = phase.data()[f];
      if (now.taps == 0) continue;
      for (Index o = 0; o < out; ++o)
        for (Index c = task * some; c < last; ++c) {  // c counts through the groups
          const T* from = w + ((c / m * out + o) * m + c % m) * area;
          T* to = weights.data() + (now.at * g.in_channels + c * now.taps) * out + o * now.taps;
          for (Index t = 0; t < now.taps; ++t) to[t] = from[tap.data()[now.at + t]];
        }
    }
  });

  const Index bands = divide_up(divide_up(g.input.height, s.height), band);
  const Index block = channels_per_task(m, g.batch * g.groups * bands),
              blocks = divide_up(m, block);
  const Scratch<T> scratch = Scratch<T>::per_thread(out * plane + slack);
  parallel_for(g.batch * g.groups * bands * blocks, g.macs() / 4, [&](Index task) {
    const Index begin = task % blocks * block, row = task / blocks % bands * band * s.height;
    const Index group = task / blocks / bands % g.groups, n = task / blocks / bands / g.groups;
    const Index channel = group * m + begin,
                height = std::min(band * s.height, g.input.height - row);
    const Index top = (row + p.height) / s.height;
    T* const source = scratch.mine();
    for (Index o = 0; o < out; ++o)
      copy_window(dy + (n * g.out_channels + group * out + o) * g.output.area(), g.output,
                  top - halo.height, lowest - halo.width, Size2(1), rows, width,
                  source + o * plane);
    for (Index f = 0; f < phases.area(); ++f) {
      const Phase& now = phase.data()[f];
      if (now.first.height >= height) continue;
      const Index shift = ((row + now.first.height + p.height) / s.height - top) * width +
                          (now.first.width + p.width) / s.width - lowest;
      sum_taps(tiles, std::min(block, m - begin), now.taps * out,
               weights.data() + (now.at * g.in_channels + channel * now.taps) * out, source + shift,
               offset.data() + now.at * out, width, divide_up(height - now.first.height, s.height),
               divide_up(g.input.width - now.first.width, s.width),
               TapTarget<T>{
                   dx +
                       ((n * g.in_channels + channel) * g.input.height + row + now.first.height) *
                           g.input.width +
                       now.first.width,
                   g.input.area(), s.height * g.input.width, s.width, end.add,
                   end.bias ? end.bias + channel : nullptr});
    }
  });
}

/// The gradient of the weight where there are few channels: dot products of lines of dy and of what
/// each tap sees.
template <class T>
void conv2d_grad_weight_lines(const Conv2dGeometry& g, const T* x, const T* dy, T* dw, bool add) {
  using Tiles = simd::Tiles<T>;
  const Tiles tiles = simd::tiles<T>();
  // A band of dy, four channels at a time, should stay in the first cache.
  constexpr Index long_enough = 1024, largest = Index{1} << 22;
  const Index band = std::clamp<Index>(long_enough / g.output.width, 1, g.output.height);
  const Index bands = divide_up(g.output.height, band), units = g.batch * bands;
  const Planes planes(g, band);
  const Index m = g.group_out(), taps = g.taps(), size = g.out_channels * taps;
  // Units are dealt to parts that sum on their own: few, where a copy of dw for each is large.
  const Index parts = std::min(units, std::clamp<Index>(largest / size, 1, 16));
  const Index each = divide_up(units, parts), splits = divide_up(units, each);
  const Index block = channels_per_task(m, splits * g.groups), blocks = divide_up(m, block);
  // Channels are the rows of a tile and taps its columns, or the other way round, whichever leaves
  // fewer of them idle.
  const Index low = tiles.dot_columns, tall = tiles.dot_rows;
  const bool turned =
      divide_up(block, low) * divide_up(taps, tall) < divide_up(block, tall) * divide_up(taps, low);
  const Index many = turned ? low : tall, wide = turned ? tall : low;
  const Index down = turned ? 1 : wide, across = turned ? many : 1;
  const Scratch<T> partial(splits > 1 || add ? splits * size : 0);
  T* const sums = splits > 1 || add ? partial.data() : dw;
  const Scratch<T> scratch = Scratch<T>::per_thread(planes.elements + planes.slack());
  const Scratch<Index> offset(taps);
  planes.offsets(offset.data());

  parallel_for(splits * g.groups * blocks, g.macs() / 4, [&](Index task) {
    const Index first = task % blocks * block, group = task / blocks % g.groups;
    const Index split = task / blocks / g.groups, channels = std::min(block, m - first);
    const Index channel = group * m + first;
    T* const source = scratch.mine();
    T* const to = sums + split * size + channel * taps;
    T tile[Tiles::most_dot];
    for (Index unit = split * each; unit < std::min(units, (split + 1) * each); ++unit) {
      const Index n = unit / bands, row = unit % bands * band;
      const bool adds = unit > split * each;
      const Index length = std::min(band, g.output.height - row) * g.output.width;
      planes.fill(x + (n * g.in_channels + group * g.group_in()) * g.input.area(), row, source);
      const T* const slopes =
          dy + (n * g.out_channels + channel) * g.output.area() + row * g.output.width;
      for (Index i = 0; i < channels; i += many)
        for (Index k = 0; k < taps; k += wide) {
          const Index rows = std::min(many, channels - i), columns = std::min(wide, taps - k);
          const T *of_channel[Tiles::most_dot], *of_tap[Tiles::most_dot];
          for (Index r = 0; r < many; ++r)
            of_channel[r] = slopes + (i + std::min(r, rows - 1)) * g.output.area();
          for (Index l = 0; l < wide; ++l)
            of_tap[l] = source + offset.data()[k + std::min(l, columns - 1)];
          if (turned)
            tiles.dot(length, of_tap, of_channel, tile);
          else
            tiles.dot(length, of_channel, of_tap, tile);
          for (Index r = 0; r < rows; ++r) {
            T* const sum = to + (i + r) * taps + k;
            const T* const from = tile + r * down;
            for (Index l = 0; l < columns; ++l)
              sum[l] = adds ? sum[l] + from[l * across] : from[l * across];
          }
        }
    }
  });
  if (sums != dw) add_pieces(sums, splits, size, dw, add);
}

}  // namespace ebb::kernel::detail
