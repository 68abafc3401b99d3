/// \file
/// The three passes of a convolution as products that gather their operands (product.cuh).
#pragma once

#include <ebb/kit/counting.hpp>
#include <ebb/kit/product/tiles.cuh>
#include <ebb/ops/convolution/conv2d/cuda/gather.cuh>

#include <numeric>

namespace ebb::inline EBB_ABI::kernel::detail {

/// A convolution with one tap, which touches every pixel once: its images may as well be one row.
inline bool is_pointwise(const Conv2dGeometry& g) {
  return g.kernel == Size2(1) && g.stride == Size2(1) && g.padding == Size2(0) &&
         g.input == g.output;
}
inline Conv2dGeometry without_rows(Conv2dGeometry g) {
  if (is_pointwise(g)) g.input = g.output = {1, g.input.area()};
  return g;
}

/// y = w x: out channels times pixels, summed over channels and taps; a product for each group. VW
/// and VX are the packs in which weights and images are loaded.
template <class T, class I, int VW, int VX>
struct ForwardProblem {
  using Left = MatrixOperand<T, I, false, VW>;
  using Right = ImageOperand<T, I, Pixels<I>, KernelTaps<I>, true, VX>;
  struct Part {
    I m, n, k;
    Left left;
    Right right;
    ImageStore<T, I> store;
    template <int V>
    EBB_DEVICE void put(I i, I j, const gpu::Pack<T, V>& pack) const {
      store.put(i, j, pack, n);
    }
  };
  Part first;
  I group_x, group_y;  ///< elements of an image in a group

  EBB_DEVICE Part at(I group) const {
    Part part = first;
    part.left.data += static_cast<Index>(group) * part.m * part.k;
    part.right.data += static_cast<Index>(group) * group_x;
    part.store.advance(group * part.m, static_cast<Index>(group) * group_y);
    return part;
  }
};

/// dw = dy x^T: out channels times channels and taps, summed over pixels.
template <class T, class I, int VY, int VX>
struct WeightProblem {
  using Left = PlanesOperand<T, I, VY>;
  using Right = ImageOperand<T, I, KernelTaps<I>, Pixels<I>, false, VX>;
  struct Part {
    I m, n, k;
    Left left;
    Right right;
    Into<T, 1> dw;
    bool packed;
    template <int V>
    EBB_DEVICE void put(I i, I j, gpu::Pack<T, V> pack) const {
      T* const to = dw.data + (static_cast<Index>(i) * n + j);
      EBB_UNROLL
      for (int v = 0; v < V; ++v)
        if (dw.add && j + v < n) pack[v] += to[v];
      put_pack(to, pack, packed, n - j);
    }
  };
  Part first;
  I group_x, group_y;

  EBB_DEVICE Part at(I group) const {
    Part part = first;
    part.left.data += static_cast<Index>(group) * group_y;
    part.right.data += static_cast<Index>(group) * group_x;
    part.dw.data += static_cast<Index>(group) * part.m * part.n;
    return part;
  }
};

/// Along one axis, the pixels of the input that are the same modulo the stride see the same taps,
/// every `every`-th: from the first tap that meets one of their outputs on, output
/// (pixel + padding - tap dilation) / stride. So the gradient of a strided convolution is one of
/// stride 1 for each phase, and no tap is multiplied that would find nothing.
struct PhaseAxis {
  Index kernel, stride, padding, dilation;
  Index every, back;  ///< taps from one to the next; outputs that one lies before the other

  PhaseAxis(Index taps, Index step, Index zeros, Index apart)
      : kernel(taps), stride(step), padding(zeros), dilation(apart) {
    const Index common = std::gcd(step, apart);
    every = step / common, back = apart / common;
  }
  Index most_taps() const { return divide_up(kernel, every); }
};

/// The first tap of a phase, how many there are, and the output that the first pixel sees by it.
template <class I>
struct PhaseTaps {
  I first, taps, output;

  EBB_DEVICE PhaseTaps(const PhaseAxis& axis, I phase) : first(0), taps(0), output(0) {
    const I end = static_cast<I>(axis.every < axis.kernel ? axis.every : axis.kernel);
    const I at = phase + static_cast<I>(axis.padding), dilation = static_cast<I>(axis.dilation);
    const I stride = static_cast<I>(axis.stride);
    while (first < end && (at - first * dilation) % stride != 0) ++first;
    if (first == end) return;
    const I every = static_cast<I>(axis.every);
    taps = divide_up(static_cast<I>(axis.kernel) - first, every);
    output = (at - first * dilation) / stride;
  }
};

/// The weight as the left operand of the input gradient: a line is a channel of the input, a step
/// an output channel and a tap of the phase. Where there is one tap, channels are neighbours.
template <class T, class I, bool Along, int V>
struct PhaseWeight {
  static constexpr bool along_lines = Along;
  static constexpr int pack = V;
  using Scalar = T;
  using Line = I;  ///< an offset; negative where there is no such line
  using Step = MaybeOffset<I>;

  const T* data;
  DivMod<I> rows, columns;  ///< taps of the phase
  I kernel, out_apart;      ///< elements of a kernel, of all kernels of an output
  I row, column;            ///< elements from one tap to the next

  EBB_DEVICE Line line(I index, bool there) const { return there ? index * kernel : -1; }
  EBB_DEVICE Step step(I index, bool there) const {
    const I j = columns.take(index), i = rows.take(index);
    return {index * out_apart + i * row + j * column, there};
  }
  EBB_DEVICE gpu::Pack<T, V> load(Line line, Step step) const {
    return load_or_zero<V>(data, line, step);
  }
  EBB_DEVICE const T* find(Line line, Step step) const { return find_or_null(data, line, step); }
};

/// dx = w^T dy: channels times pixels of one phase, summed over out channels and its taps; a
/// product for each group and phase.
template <class T, class I, bool Along, int V>
struct InputProblem {
  using Left = PhaseWeight<T, I, Along, V>;
  using Right = ImageOperand<T, I, Pixels<I>, KernelTaps<I>, true, V>;
  struct Part {
    I m, n, k;
    Left left;
    Right right;
    ImageStore<T, I> store;
    template <int W>
    EBB_DEVICE void put(I i, I j, const gpu::Pack<T, W>& pack) const {
      store.put(i, j, pack, n);
    }
  };
  Part first;
  PhaseAxis down, across;
  DivMod<I> phases_down, phases_across;
  /// Taps of a phase are as many as this, or one fewer.
  DivMod<I> rows, rows_less, columns, columns_less;
  I out_channels, kernel_width, group_dy, group_dx;

  EBB_DEVICE Part at(I z) const {
    Part part = first;
    const I phase_column = phases_across.take(z), phase_row = phases_down.take(z), group = z;
    const PhaseTaps<I> r(down, phase_row), c(across, phase_column);
    part.k = out_channels * r.taps * c.taps;
    part.left.data += static_cast<Index>(group) * out_channels * part.left.out_apart +
                      (r.first * kernel_width + c.first);
    part.left.rows = part.right.steps.rows = r.taps == rows.by() ? rows : rows_less;
    part.left.columns = part.right.steps.columns = c.taps == columns.by() ? columns : columns_less;
    part.right.data += static_cast<Index>(group) * group_dy;
    part.right.lines.start_row = r.output, part.right.lines.start_column = c.output;
    part.store.advance(group * part.m, static_cast<Index>(group) * group_dx);
    part.store.pixels.start_row = phase_row, part.store.pixels.start_column = phase_column;
    return part;
  }
};

}  // namespace ebb::kernel::detail
