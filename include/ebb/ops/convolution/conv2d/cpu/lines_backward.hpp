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
class LinesGradInput {
 public:
  explicit LinesGradInput(const Conv2dGeometry& geometry)
      : g_(geometry),
        halo_(g_.dilation.height * (g_.kernel.height - 1) / g_.stride.height,
              g_.dilation.width * (g_.kernel.width - 1) / g_.stride.width),
        lowest_(g_.padding.width / g_.stride.width),
        width_((g_.input.width - 1 + g_.padding.width) / g_.stride.width - lowest_ + 1 +
               halo_.width),
        band_(band_rows(divide_up(g_.input.height, g_.stride.height),
                        g_.group_out() * width_ * Index{sizeof(T)}, g_.batch * g_.groups)),
        rows_(band_ + 1 + halo_.height),
        phases_(std::min(g_.stride.height, g_.input.height),
                std::min(g_.stride.width, g_.input.width)),
        phase_(phases_.area()),
        tap_(g_.kernel.area()) {
    for (Index f = 0, at = 0; f < phases_.area(); at += phase_.data()[f++].taps) {
      Phase& now = phase_.data()[f];
      now = {{f / phases_.width, f % phases_.width}, 0, at};
      for (Index i = 0; i < g_.kernel.height; ++i)
        for (Index j = 0; j < g_.kernel.width; ++j)
          if (falls_on(i * g_.dilation.height, now.first.height + g_.padding.height,
                       g_.stride.height) &&
              falls_on(j * g_.dilation.width, now.first.width + g_.padding.width, g_.stride.width))
            tap_.data()[at + now.taps++] = i * g_.kernel.width + j;
    }
  }

  static bool packs_first() { return true; }
  Index packed() const { return g_.out_channels * g_.group_in() * g_.kernel.area(); }

  /// Whether another pass over the same weights reads what this one packs: the same phases.
  bool reads_like(const LinesGradInput& other) const {
    if (phases_ != other.phases_) return false;
    const auto same = [](const Phase& a, const Phase& b) {
      return a.taps == b.taps && a.at == b.at;
    };
    return std::equal(phase_.data(), phase_.data() + phases_.area(), other.phase_.data(), same) &&
           std::equal(tap_.data(), tap_.data() + used(), other.tap_.data());
  }

  /// Writes the weights as (phase, input channel, output channel of its group, tap of the phase).
  void pack(const T* w, T* to) const {
    constexpr Index some = 16;
    const Index m = g_.group_in(), out = g_.group_out(), area = g_.kernel.area();
    parallel_for(divide_up(g_.in_channels, some), packed(), [&](Index task) {
      const Index last = std::min((task + 1) * some, g_.in_channels);
      for (Index f = 0; f < phases_.area(); ++f) {
        const Phase& now = phase_.data()[f];
        if (now.taps == 0) continue;
        for (Index o = 0; o < out; ++o)
          for (Index c = task * some; c < last; ++c) {  // c counts through the groups
            const T* const from = w + ((c / m * out + o) * m + c % m) * area;
            T* const row = to + (now.at * g_.in_channels + c * now.taps) * out + o * now.taps;
            for (Index t = 0; t < now.taps; ++t) row[t] = from[tap_.data()[now.at + t]];
          }
      }
    });
  }

  void run(const T* dy, MaybePacked<T> w, T* dx, const simd::InRegisters<T>& end) const {
    const simd::Tiles<T> tiles = simd::tiles<T>();
    const Size2 s = g_.stride, p = g_.padding;
    const Index m = g_.group_in(), out = g_.group_out(), plane = rows_ * width_;
    const Scratch<Index> offset(out * g_.kernel.area());  // (phase, channel, tap of the phase)
    find_taps(offset.data());
    const Index bands = divide_up(divide_up(g_.input.height, s.height), band_);
    const Index block = channels_per_task(m, g_.batch * g_.groups * bands);
    const Index blocks = divide_up(m, block), slack = width_ + simd::Tiles<T>::most_columns;
    const Scratch<T> scratch = Scratch<T>::per_thread(out * plane + slack);
    parallel_for(g_.batch * g_.groups * bands * blocks, g_.macs() / 4, [&](Index task) {
      const auto [n, group, strip, part] = unravel(task, g_.groups, bands, blocks);
      const Index begin = part * block, row = strip * band_ * s.height;
      const Index channel = group * m + begin;
      const Index height = std::min(band_ * s.height, g_.input.height - row);
      const Index top = (row + p.height) / s.height;
      T* const source = scratch.mine();  // (channel, row, column)
      for (Index o = 0; o < out; ++o)
        copy_window(dy + (n * g_.out_channels + group * out + o) * g_.output.area(), g_.output,
                    top - halo_.height, lowest_ - halo_.width, Size2(1), rows_, width_,
                    source + o * plane);
      for (Index f = 0; f < phases_.area(); ++f) {
        const Phase& now = phase_.data()[f];
        if (now.first.height >= height) continue;
        const Index shift = ((row + now.first.height + p.height) / s.height - top) * width_ +
                            (now.first.width + p.width) / s.width - lowest_;
        T* const to = dx +
                      ((n * g_.in_channels + channel) * g_.input.height + row + now.first.height) *
                          g_.input.width +
                      now.first.width;
        sum_taps(tiles, std::min(block, m - begin), now.taps * out,
                 w.data + (now.at * g_.in_channels + channel * now.taps) * out, source + shift,
                 offset.data() + now.at * out, width_,
                 divide_up(height - now.first.height, s.height),
                 divide_up(g_.input.width - now.first.width, s.width),
                 TapTarget<T>{to, g_.input.area(), s.height * g_.input.width, s.width, end.add,
                              end.bias ? end.bias + channel : nullptr});
      }
    });
  }

 private:
  /// Taps that fall on some phase: all, unless strides leave some out.
  Index used() const {
    const Phase& last = phase_.data()[phases_.area() - 1];
    return last.at + last.taps;
  }
  static bool falls_on(Index tap, Index pixel, Index stride) {
    return tap % stride == pixel % stride;
  }
  /// Where the taps of each phase see the planes of dy.
  void find_taps(Index* offset) const {
    const Size2 s = g_.stride, d = g_.dilation;
    const Index out = g_.group_out(), plane = rows_ * width_;
    for (Index f = 0; f < phases_.area(); ++f) {
      const Phase& now = phase_.data()[f];
      for (Index o = 0; o < out; ++o)
        for (Index t = 0; t < now.taps; ++t) {
          const auto [i, j] = unravel(tap_.data()[now.at + t], g_.kernel.width);
          offset[now.at * out + o * now.taps + t] =
              o * plane + (halo_.height - i * d.height / s.height) * width_ + halo_.width -
              j * d.width / s.width;
        }
    }
  }

  const Conv2dGeometry& g_;
  Size2 halo_;         ///< dy in one plane per channel: pixel h sees its rows from
  Index lowest_;       ///< (h + padding) / stride - halo on; the same for the first column
  Index width_;        ///< of a plane
  Index band_, rows_;  ///< rows of a phase in one task, and of a plane
  Size2 phases_;
  Scratch<Phase> phase_;
  Scratch<Index> tap_;  ///< (phase, tap): i * kernel width + j
};

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
  const bool taps_are_rows =
      divide_up(block, low) * divide_up(taps, tall) < divide_up(block, tall) * divide_up(taps, low);
  const Index many = taps_are_rows ? low : tall, wide = taps_are_rows ? tall : low;
  const Index down = taps_are_rows ? 1 : wide, across = taps_are_rows ? many : 1;
  const Scratch<T> partial(splits > 1 || add ? splits * size : 0);
  T* const sums = splits > 1 || add ? partial.data() : dw;
  const Scratch<T> scratch = Scratch<T>::per_thread(planes.elements + planes.slack());
  const Scratch<Index> offset(taps);
  planes.offsets(offset.data());

  parallel_for(splits * g.groups * blocks, g.macs() / 4, [&](Index task) {
    const auto [split, group, part] = unravel(task, g.groups, blocks);
    const Index first = part * block, channels = std::min(block, m - first);
    const Index channel = group * m + first;
    T* const source = scratch.mine();
    T* const to = sums + split * size + channel * taps;
    T tile[Tiles::most_dot];
    for (Index unit = split * each; unit < std::min(units, (split + 1) * each); ++unit) {
      const auto [n, strip] = unravel(unit, bands);
      const Index row = strip * band;
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
          if (taps_are_rows)
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
