/// \file
/// Convolution on the CPU. All three passes are sums over taps by the register tiles of the matrix
/// product; planes.hpp says how. Work is cut into bands of rows by the geometry alone.
#pragma once

#include <ebb/ops/conv2d/algorithm.hpp>
#include <ebb/ops/conv2d/channels.hpp>
#include <ebb/ops/conv2d/channels_weight.hpp>
#include <ebb/ops/conv2d/planes.hpp>
#include <ebb/ops/conv2d/reference.hpp>

namespace ebb {
namespace detail {

template <class T>
inline constexpr bool has_tiles = std::is_same_v<T, float> || std::is_same_v<T, double>;

/// Channels that one task computes: all, unless there are too few images to share out.
inline Index channels_per_task(Index channels, Index tasks) {
  return tasks >= 16 ? channels : std::max<Index>(32, divide_up(channels, 16));
}

template <class T>
void conv2d_forward_tiles(const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> w,
                          const T* bias, View<T, 4> y) {
  const simd::Tiles<T> tiles = simd::tiles<T>();
  const Planes one(g, 1);
  const Index bytes = g.group_in() * one.slots.area() * one.width * Index{sizeof(T)};
  const Planes planes(g, band_rows(g.output.height, bytes, g.batch * g.groups));
  const Index bands = divide_up(g.output.height, planes.band), m = g.group_out();
  const Index block = channels_per_task(m, g.batch * g.groups * bands),
              blocks = divide_up(m, block);
  const Scratch<T> scratch = Scratch<T>::per_thread(planes.elements + planes.slack());
  const Scratch<Index> offset(g.taps());
  planes.offsets(offset.data());

  parallel_for(g.batch * g.groups * bands * blocks, g.macs() / 4, [&](Index task) {
    const Index first = task % blocks * block, band = task / blocks % bands;
    const Index group = task / blocks / bands % g.groups, n = task / blocks / bands / g.groups;
    const Index row = band * planes.band, channel = group * m + first;
    T* const source = scratch.mine();
    planes.fill(x.data + (n * g.in_channels + group * g.group_in()) * g.input.area(), 1, row,
                source);
    sum_taps(tiles, std::min(block, m - first), g.taps(), w.data + channel * g.taps(), source,
             offset.data(), planes.width, std::min(planes.band, g.output.height - row),
             g.output.width,
             TapTarget<T>{
                 y.data + ((n * g.out_channels + channel) * g.output.height + row) * g.output.width,
                 g.output.area(), g.output.width, 1, false, bias ? bias + channel : nullptr});
  });
}

/// Pixels of the input that are one stride apart see the same taps. Each such phase is a
/// convolution of dy with stride 1, by the taps that fall on it.
struct Phase {
  Size2 first;  ///< its first pixel
  Index taps;   ///< of a kernel, that fall on it
  Index at;     ///< how many fall on the phases before
};

template <class T>
void conv2d_grad_input_tiles(const Conv2dGeometry& g, View<const T, 4> dy, View<const T, 4> w,
                             const T* bias, Into<T, 4> dx) {
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
  const Scratch<T> weights(w.size());
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
  parallel_for(divide_up(g.in_channels, some), w.size(), [&](Index task) {
    const Index end = std::min((task + 1) * some, g.in_channels);
    for (Index f = 0; f < phases.area(); ++f) {
      const Phase& now = phase.data()[f];
      if (now.taps == 0) continue;
      for (Index o = 0; o < out; ++o)
        for (Index c = task * some; c < end; ++c) {  // c counts through the groups
          const T* from = w.data + ((c / m * out + o) * m + c % m) * area;
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
      copy_window(dy.data + (n * g.out_channels + group * out + o) * g.output.area(), g.output,
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
                   dx.data +
                       ((n * g.in_channels + channel) * g.input.height + row + now.first.height) *
                           g.input.width +
                       now.first.width,
                   g.input.area(), s.height * g.input.width, s.width, dx.add,
                   bias ? bias + channel : nullptr});
    }
  });
}

template <class T>
void conv2d_grad_weight_tiles(const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> dy,
                              Into<T, 4> dw) {
  using Tiles = simd::Tiles<T>;
  const Tiles tiles = simd::tiles<T>();
  // A band of dy, four channels at a time, should stay in the first cache.
  constexpr Index long_enough = 1024;
  const Index width = Planes(g, 1).width;
  const Index band = std::clamp<Index>(long_enough / width, 1, g.output.height);
  const Index bands = divide_up(g.output.height, band);
  const Index picture = Planes(g, band).picture;
  // The batch is cut into at most 16 parts, fewer where a copy of dw for each would be large.
  constexpr Index largest = Index{1} << 22;
  const Index size = dw.size(), most_parts = std::clamp<Index>(largest / size, 1, 16);
  const Index together =
      bands == 1 ? std::clamp<Index>(long_enough / picture, 1, divide_up(g.batch, most_parts)) : 1;
  const Planes planes(g, band, together);
  const Index units = divide_up(g.batch, together) * bands;
  const Index length =
      divide_up((together - 1) * picture + band * width, tiles.lanes) * tiles.lanes;
  const Index m = g.group_out(), taps = g.taps();

  const Index parts = std::min(units, most_parts);
  const Index each = divide_up(units, parts), splits = divide_up(units, each);
  const Index block = channels_per_task(m, splits * g.groups), blocks = divide_up(m, block);

  const Scratch<T> partial(splits > 1 || dw.add ? splits * size : 0);
  T* const sums = splits > 1 || dw.add ? partial.data() : dw.data;
  const Index plane_part = planes.elements + planes.slack();
  const Scratch<T> scratch = Scratch<T>::per_thread(plane_part + block * length);
  const Scratch<Index> offset(taps);
  planes.offsets(offset.data());

  parallel_for(splits * g.groups * blocks, g.macs() / 4, [&](Index task) {
    const Index first = task % blocks * block, group = task / blocks % g.groups;
    const Index split = task / blocks / g.groups, channels = std::min(block, m - first);
    const Index channel = group * m + first;
    T* const source = scratch.mine();
    T* const slopes = source + plane_part;
    T* const to = sums + split * size + channel * taps;
    T tile[Tiles::most_dot];
    for (Index unit = split * each; unit < std::min(units, (split + 1) * each); ++unit) {
      const Index n = unit / bands * together, row = unit % bands * band;
      const Index count = std::min(together, g.batch - n);
      const bool adds = unit > split * each;
      planes.fill(x.data + (n * g.in_channels + group * g.group_in()) * g.input.area(), count, row,
                  source);
      // dy between the rows of the planes is zero, so that what x has there does not count.
      for (Index c = 0; c < channels; ++c) {
        T* const line = slopes + c * length;
        for (Index b = 0; b < count; ++b) {
          const bool last = b == together - 1;
          copy_window(dy.data + ((n + b) * g.out_channels + channel + c) * g.output.area(),
                      g.output, row, 0, Size2(1), last ? band : picture / width, width,
                      line + b * picture);
        }
        const Index filled =
            count == together ? (together - 1) * picture + band * width : count * picture;
        for (Index i = filled; i < length; ++i) line[i] = T(0);
      }
      for (Index i = 0; i < channels; i += tiles.dot_rows)
        for (Index k = 0; k < taps; k += tiles.dot_columns) {
          const Index rows = std::min<Index>(tiles.dot_rows, channels - i);
          const Index columns = std::min<Index>(tiles.dot_columns, taps - k);
          const T *left[Tiles::most_dot], *right[Tiles::most_dot];
          for (Index r = 0; r < tiles.dot_rows; ++r)
            left[r] = slopes + (i + std::min(r, rows - 1)) * length;
          for (Index l = 0; l < tiles.dot_columns; ++l)
            right[l] = source + offset.data()[k + std::min(l, columns - 1)];
          tiles.dot(length, left, right, tile);
          for (Index r = 0; r < rows; ++r)
            for (Index l = 0; l < columns; ++l) {
              T& sum = to[(i + r) * taps + k + l];
              sum = tile[r * tiles.dot_columns + l] + (adds ? sum : T(0));
            }
        }
    }
  });
  if (sums != dw.data) add_pieces(sums, splits, size, dw.data, dw.add);
}

}  // namespace detail

/// Kernel: y = conv2d(x, w) + bias, or the larger of that and zero where `relu` asks for it; an
/// empty bias view is none.
template <class T>
void conv2d_forward(Cpu, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> w,
                    View<const T, 1> bias, View<T, 4> y, bool relu = false) {
  if constexpr (detail::has_tiles<T>) {
    switch (conv2d_algorithm(g, ConvPass::forward)) {
      case ConvAlgorithm::reference:
        break;
      default:
        if (g.group_out() >= 4)
          return detail::ChannelPass<T>(g, true).run(x.data, w.data, y.data,
                                                     {bias.data, false, relu});
        detail::conv2d_forward_tiles(g, x, w, bias.data, y);
        if (relu)
          for (Index i = 0; i < y.size(); ++i) y.data[i] = y.data[i] < T(0) ? T(0) : y.data[i];
        return;
    }
  }
  reference::conv2d_forward(g, x, w, bias, y, relu);
}

/// Kernel: the gradient of the input; the forward pass of a transposed convolution, where `bias`
/// is added to every input channel.
template <class T>
void conv2d_grad_input(Cpu, const Conv2dGeometry& g, View<const T, 4> dy, View<const T, 4> w,
                       View<const T, 1> bias, Into<T, 4> dx) {
  if constexpr (detail::has_tiles<T>) {
    switch (conv2d_algorithm(g, ConvPass::grad_input)) {
      case ConvAlgorithm::reference:
        break;
      default:
        if (g.group_in() >= 4)
          return detail::ChannelPass<T>(g, false).run(dy.data, w.data, dx.data,
                                                      {bias.data, dx.add, false});
        return detail::conv2d_grad_input_tiles(g, dy, w, bias.data, dx);
    }
  }
  reference::conv2d_grad_input(g, dy, w, bias, dx);
}

/// Kernel: the gradient of the weight.
template <class T>
void conv2d_grad_weight(Cpu, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> dy,
                        Into<T, 4> dw) {
  if constexpr (detail::has_tiles<T>) {
    switch (conv2d_algorithm(g, ConvPass::grad_weight)) {
      case ConvAlgorithm::reference:
        break;
      default:
        if (g.group_in() >= 4 && g.group_out() >= 4)
          return detail::conv2d_grad_weight_channels(g, x.data, dy.data, dw.data, dw.add);
        return detail::conv2d_grad_weight_tiles(g, x, dy, dw);
    }
  }
  reference::conv2d_grad_weight(g, x, dy, dw);
}

/// Kernel: sum[c] (+)= the sum of channel c over images and pixels; the gradient of a bias.
template <class T>
void sum_channels(Cpu, View<const T, 4> x, Into<T, 1> sum) {
  constexpr Index lanes = 16;
  const Index area = x.extent(2) * x.extent(3), channels = x.extent(1);
  parallel_for(channels, x.size(), [&](Index c) {
    T total(0);
    for (Index n = 0; n < x.extent(0); ++n) {
      const T* from = x.data + (n * channels + c) * area;
      T part[lanes] = {};
      Index i = 0;
      for (; i + lanes <= area; i += lanes)
        for (Index l = 0; l < lanes; ++l) part[l] += from[i + l];
      for (Index l = 0; i < area; ++i, ++l) part[l] += from[i];
      for (Index step = lanes / 2; step > 0; step /= 2)
        for (Index l = 0; l < step; ++l) part[l] += part[l + step];
      total += part[0];
    }
    sum.put(c, total);
  });
}

}  // namespace ebb
