/// \file
/// Convolution where the outputs of all images together are few, as at the end of a network on
/// small images, and the weights are many: reading these is the work, so that they are read once
/// and where they lie. What each output sees is unfolded into a row (im2col: Chellapilla, Puri &
/// Simard, "High performance convolutional neural networks for document processing", 2006), and
/// each pass is one product of matrices for every group. Padding is multiplied with.
#pragma once

#include <ebb/device/cpu/scratch.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/ops/convolution/conv2d/cpu/channel_tiles.hpp>
#include <ebb/ops/convolution/conv2d/cpu/taps.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// The outputs of all images as rows, of one group at a time.
template <class T>
struct Unfolded {
  const Conv2dGeometry& g;
  bool is_forward = true;
  Index rows = g.batch * g.output.area(), taps = g.taps(), sums = g.group_out();

  Unfolded(const Conv2dGeometry& geometry, bool forward_pass)
      : g(geometry), is_forward(forward_pass) {}

  /// Products pack the weights as they go, or not at all.
  static bool packs_first() { return false; }
  Index packed() const { return rows_alone() ? 0 : g.groups * product().packed(); }
  /// Writes the weights as the product of each group reads them.
  void pack(const T* w, T* to) const {
    const Gemm<T> product = this->product();
    for (Index group = 0; group < g.groups; ++group)
      product.pack(w + group * sums * taps, to + group * product.packed());
  }
  void run(const T* x, MaybePacked<T> w, T* y, const simd::TileEpilogue<T>& end) const {
    is_forward ? forward(x, w, y, end) : grad_input(x, w, y, end);
  }

  /// What pack() wrote for another pass over the same weights is what this one reads.
  bool reads_like(const Unfolded& other) const {
    return rows_alone() || other.rows_alone() ? packed() == other.packed()
                                              : product().reads_like(other.product());
  }

  /// dw (+)= dy^T x.
  void grad_weight(const T* x, const T* dy, T* dw, bool add) const {
    const Scratch<T> seen(rows * taps), slopes(rows * sums);
    for (Index group = 0; group < g.groups; ++group) {
      unfold(x, group, seen.data());
      gather(dy, group, slopes.data());
      gemm_matrix<T>({true, false}, sums, taps, rows, slopes.data(), seen.data(),
                     dw + group * sums * taps, add);
    }
  }

 private:
  /// Few rows of gradients, whose products with the weights need no tiles.
  bool rows_alone() const { return !is_forward && rows <= 2; }
  /// That of one group: with the weights transposed, going forward.
  Gemm<T> product() const {
    return is_forward ? Gemm<T>({false, true}, rows, sums, taps) : Gemm<T>({}, rows, taps, sums);
  }
  /// The weights of a group.
  MaybePacked<T> of_group(MaybePacked<T> w, Index group) const {
    const Index packed_size = w.packed ? packed() / g.groups : 0;
    if (packed_size > 0) return {w.data + group * packed_size, true};
    return {w.data + group * sums * taps, false};
  }

  /// y = x w^T, and then what `end` says.
  void forward(const T* x, MaybePacked<T> w, T* y, const simd::TileEpilogue<T>& end) const {
    const Scratch<T> seen(rows * taps), result(rows * sums);
    for (Index group = 0; group < g.groups; ++group) {
      unfold(x, group, seen.data());
      product().run(seen.data(), of_group(w, group), result.data(), false);
      each_output(group, [&](Index row, Index o, Index at) {
        const T shift = end.bias ? end.bias[group * sums + o] : T(0);
        y[at] = end.finish(result.data()[row * sums + o] + shift, y + at);
      });
    }
    end.afterwards(y, rows * g.out_channels);
  }

  /// Rows of what the outputs see receive dy w; each pixel adds up where it is seen.
  void grad_input(const T* dy, MaybePacked<T> w, T* dx, const simd::TileEpilogue<T>& end) const {
    const Scratch<T> slopes(rows * sums), spread(rows * taps);
    const Index area = g.input.area(), channels = g.group_in();
    for (Index group = 0; group < g.groups; ++group) {
      gather(dy, group, slopes.data());
      const MaybePacked<T> weights = of_group(w, group);
      if (rows_alone())
        add_rows(slopes.data(), weights.data, spread.data());
      else
        product().run(slopes.data(), weights, spread.data(), false);
      parallel_for(channels, rows * taps, [&](Index c) {
        const Index channel = group * channels + c;
        const T start = end.bias ? end.bias[channel] : T(0);
        for (Index n = 0; n < g.batch; ++n) {
          T* const plane = dx + (n * g.in_channels + channel) * area;
          for (Index i = 0; i < area; ++i) plane[i] = start + (end.add ? plane[i] : T(0));
          each_tap(n, [&](Index row, Index tap, Index at) {
            if (at >= 0) plane[at] += spread.data()[row * taps + c * g.kernel.area() + tap];
          });
        }
      });
    }
  }

  /// Calls f(row, tap, pixel) for every output of image n and every tap; the pixel is -1 outside of
  /// the image.
  template <class F>
  void each_tap(Index n, const F& f) const {
    Index row = n * g.output.area();
    for (Index oh = 0; oh < g.output.height; ++oh)
      for (Index ow = 0; ow < g.output.width; ++ow, ++row) {
        Index tap = 0;
        for (Index i = 0; i < g.kernel.height; ++i) {
          const Index h = oh * g.stride.height + i * g.dilation.height - g.padding.height;
          for (Index j = 0; j < g.kernel.width; ++j, ++tap) {
            const Index w = ow * g.stride.width + j * g.dilation.width - g.padding.width;
            const bool inside = h >= 0 && h < g.input.height && w >= 0 && w < g.input.width;
            f(row, tap, inside ? h * g.input.width + w : -1);
          }
        }
      }
  }

  /// What each output sees: (rows, taps).
  void unfold(const T* x, Index group, T* seen) const {
    const Index channels = g.group_in();
    parallel_for(channels, rows * taps, [&](Index c) {
      for (Index n = 0; n < g.batch; ++n) {
        const T* const plane = x + (n * g.in_channels + group * channels + c) * g.input.area();
        each_tap(n, [&](Index row, Index tap, Index at) {
          seen[row * taps + c * g.kernel.area() + tap] = at < 0 ? T(0) : plane[at];
        });
      }
    });
  }

  /// spread = slopes w for one row or two, which the nearest cache holds while long stretches of
  /// the weights pass by.
  void add_rows(const T* slopes, const T* w, T* spread) const {
    constexpr Index stretch = 4096 / Index{sizeof(T)};
    vector_for(divide_up(taps, stretch), rows * sums * taps, [=, this](Index task) {
      const Index begin = task * stretch, end = std::min(taps, begin + stretch);
      for (Index r = 0; r < rows; ++r) {
        T* const to = spread + r * taps;
        for (Index i = begin; i < end; ++i) to[i] = T(0);
      }
      for (Index o = 0; o < sums; o += 4)
        for (Index r = 0; r < rows; ++r) {
          T* const to = spread + r * taps;
          const T* from[4];
          T by[4];
          for (Index k = 0; k < 4; ++k) {
            from[k] = w + std::min(o + k, sums - 1) * taps;
            by[k] = o + k < sums ? slopes[r * sums + o + k] : T(0);
          }
          EBB_SIMD
          for (Index i = begin; i < end; ++i)
            to[i] +=
                by[0] * from[0][i] + by[1] * from[1][i] + (by[2] * from[2][i] + by[3] * from[3][i]);
        }
    });
  }

  /// Calls f(row, channel of the group, element) for every element of a group's outputs.
  template <class F>
  void each_output(Index group, const F& f) const {
    const Index area = g.output.area();
    for (Index n = 0; n < g.batch; ++n)
      for (Index o = 0; o < sums; ++o)
        for (Index p = 0; p < area; ++p)
          f(n * area + p, o, (n * g.out_channels + group * sums + o) * area + p);
  }

  /// The gradients of the outputs: (rows, sums).
  void gather(const T* dy, Index group, T* slopes) const {
    each_output(group, [&](Index row, Index o, Index at) { slopes[row * sums + o] = dy[at]; });
  }
};

}  // namespace ebb::kernel::detail
