/// \file
/// Padded planes, from which a convolution is a product of matrices.
///
/// im2col (Chellapilla, Puri & Simard, "High performance convolutional neural networks for document
/// processing", 2006) copies every pixel once for each tap that sees it. Here an image is copied
/// into a few planes with zeros around it: one for each column of the kernel and each phase of the
/// vertical stride. A tap sees one of these planes, from some offset on. So a table of offsets
/// takes the place of im2col's large matrix.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/ops/convolution/conv2d/geometry.hpp>

#include <cstring>
#include <numeric>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Copies some elements, sixteen bytes at a time: rows are too short for a call. The last sixteen
/// bytes overlap those before.
template <class T>
void copy_run(const T* from, Index count, T* to) {
  constexpr Index few = 16 / Index{sizeof(T)};
  if (count < few) {
    for (Index l = 0; l < count; ++l) to[l] = from[l];
    return;
  }
  for (Index l = 0; l + few < count; l += few) std::memcpy(to + l, from + l, 16);
  std::memcpy(to + count - few, from + count - few, 16);
}

/// Copies every second element, from the first to the last of `count`.
template <class T>
void copy_every_second(const T* from, Index count, T* to) {
  using Vector = simd::Register<T, 16>;
  constexpr Index few = 16 / Index{sizeof(T)};
  Index l = 0;
  for (; l + few <= count; l += few) {
    Vector a, b;
    std::memcpy(&a, from + 2 * l, 16);
    std::memcpy(&b, from + 2 * l + few - 1, 16);
    if constexpr (few == 4)
      a = EBB_SHUFFLE(a, b, 0, 2, 5, 7);
    else
      a = EBB_SHUFFLE(a, b, 0, 3);
    std::memcpy(to + l, &a, 16);
  }
  for (; l < count; ++l) to[l] = from[2 * l];
}

/// Copies rows x columns elements, every `step`-th from (row, column) on, of an image of extents
/// `size`; zeros where that is outside of it.
template <class T>
void copy_window(const T* image, Size2 size, Index row, Index column, Size2 step, Index rows,
                 Index columns, T* to) {
  const auto first_at_least = [](Index bound, Index from, Index stride) {
    return from >= bound ? Index{0} : divide_up(bound - from, stride);
  };
  const Index begin = std::min(columns, first_at_least(0, column, step.width));
  const Index end =
      std::max(begin, std::min(columns, first_at_least(size.width, column, step.width)));
  const Index top = std::min(rows, first_at_least(0, row, step.height));
  const Index bottom = std::max(top, std::min(rows, first_at_least(size.height, row, step.height)));
  std::fill(to, to + top * columns, T(0));
  if (step == Size2(1) && columns == size.width) {
    // All rows are one run, shifted; what comes from a neighbouring row is cleared below.
    const Index shift = row * columns + column;
    const Index first = std::max(top * columns, -shift);
    const Index last = std::min(bottom * columns, size.area() - shift);
    if (first < last) std::copy(image + shift + first, image + shift + last, to + first);
  } else if (begin < end) {
    for (Index r = top; r < bottom; ++r) {
      const T* const from =
          image + (row + r * step.height) * size.width + column + begin * step.width;
      T* const out = to + r * columns + begin;
      if (step.width == 1)
        copy_run(from, end - begin, out);
      else if (step.width == 2)
        copy_every_second(from, end - begin, out);
      else
        for (Index c = 0; c < end - begin; ++c) out[c] = from[c * step.width];
    }
  }
  // Column by column: a row has too few for a call.
  const auto clear = [&](Index from, Index until) {
    for (Index c = from; c < until; ++c)
      for (Index r = top; r < bottom; ++r) to[r * columns + c] = T(0);
  };
  clear(0, begin);
  clear(end, columns);
  std::fill(to + bottom * columns, to + rows * columns, T(0));
}

/// The planes that a band of output rows reads: for each channel of a group and each column of the
/// kernel, one for each phase of the vertical stride that some tap falls on. Their rows are as long
/// as those of the output, so that a line of outputs is a line of every tap.
struct Planes {
  Conv2dGeometry g;
  Index band;      ///< output rows
  Index phases;    ///< in use
  Index rows;      ///< of a plane
  Index plane;     ///< elements of a plane
  Index elements;  ///< of all planes together

  Planes(const Conv2dGeometry& geometry, Index band_rows) : g(geometry), band(band_rows) {
    // Tap i is on phase (i * dilation) mod stride, which repeats after this many taps.
    phases =
        std::min(g.kernel.height, g.stride.height / std::gcd(g.stride.height, g.dilation.height));
    rows = band + g.dilation.height * (g.kernel.height - 1) / g.stride.height;
    plane = rows * g.output.width;
    elements = g.group_in() * phases * g.kernel.width * plane;
  }

  /// Register tiles read past the last plane by less than this.
  static constexpr Index slack() { return 4 * simd::Tiles<float>::most_lanes; }

  /// Where the plane of each tap (c, i, j) begins, in the order of the weights.
  void offsets(Index* offset) const {
    for (Index c = 0; c < g.group_in(); ++c)
      for (Index i = 0; i < g.kernel.height; ++i)
        for (Index j = 0; j < g.kernel.width; ++j)
          *offset++ = ((c * phases + i % phases) * g.kernel.width + j) * plane +
                      i * g.dilation.height / g.stride.height * g.output.width;
  }

  /// Lays out the channels from `image` on, for output rows from `row` on.
  template <class T>
  void fill(const T* image, Index row, T* to) const {
    for (Index c = 0; c < g.group_in(); ++c)
      for (Index i = 0; i < phases; ++i)
        for (Index j = 0; j < g.kernel.width; ++j, to += plane)
          copy_window(
              image + c * g.input.area(), g.input,
              row * g.stride.height + i * g.dilation.height % g.stride.height - g.padding.height,
              j * g.dilation.width - g.padding.width, g.stride, rows, g.output.width, to);
    for (Index i = 0; i < slack(); ++i) to[i] = T(0);
  }
};

/// Where `sum_taps` leaves its result: strides between channels, rows and columns.
template <class T>
struct TapTarget {
  T* data;
  Index channel, row, column;
  bool add;
  const T* bias;  ///< one element per channel, or null
};

/// out[l * step] (+)= from[l] + bias. Sixteen bytes at a time, which compilers do not find out by
/// themselves at every level of optimisation.
template <class T>
void store_run(const T* from, Index count, T bias, bool add, T* out, Index step) {
  using Vector = simd::Register<T, 16>;
  constexpr Index lanes = 16 / Index{sizeof(T)};
  Index l = 0;
  if (step == 1)
    for (; l + lanes <= count; l += lanes) {
      Vector sum, before;
      __builtin_memcpy(&sum, from + l, sizeof sum);
      sum += bias;
      if (add) {
        __builtin_memcpy(&before, out + l, sizeof before);
        sum += before;
      }
      __builtin_memcpy(out + l, &sum, sizeof sum);
    }
  for (; l < count; ++l) out[l * step] = from[l] + bias + (add ? out[l * step] : T(0));
}

/// For `m` channels and each of rows x columns pixels, the sum over `depth` taps of
/// weights[channel][tap] * planes[offset[tap] + row * width + column]. The columns of a tile run on
/// from one row into the next; what falls between the rows is computed and dropped.
template <class T>
void sum_taps(const simd::Tiles<T>& tiles, Index m, Index depth, const T* weights, const T* planes,
              const Index* offset, Index width, Index rows, Index columns, TapTarget<T> target) {
  using Tiles = simd::Tiles<T>;
  struct Run {
    Index from, count, to;
  };
  constexpr Index most_sums = 24 * 1024 / Index{sizeof(T)}, most_runs = 128;
  Run runs[most_runs];
  T sums[array_size(most_sums)];
  const Index length = (rows - 1) * width + columns, stride = tiles.columns();
  // Few weights stay in the cache while the columns pass by; of many, a tile's rows do.
  constexpr Index few = 192 * 1024;
  const Index height = tiles.rows;
  const Index step = m * depth * Index{sizeof(T)} <= few
                         ? std::min(divide_up(m, height), most_sums / stride / height) * height
                         : height;
  // Several tiles in a row before their results are stored: longer runs.
  const Index block =
      std::clamp<Index>(std::min(most_sums / step, (most_runs - 2) * width) / stride, 1, 64) *
      stride;

  for (Index i0 = 0; i0 < m; i0 += step)
    for (Index v0 = 0; v0 < length; v0 += block) {
      const Index i1 = std::min(i0 + step, m), live = std::min(block, length - v0);
      for (Index v = 0; v < live; v += stride) {
        const auto tile = tiles.broadcast[divide_up(std::min(stride, live - v), tiles.lanes) - 1];
        for (Index i = i0; i < i1; i += height) {
          const T* row[Tiles::most_rows];
          for (Index r = 0; r < height; ++r) row[r] = weights + std::min(i + r, m - 1) * depth;
          tile(depth, row, 1, planes + v0 + v, offset, sums + (i - i0) * block + v, block, false);
        }
      }

      int count = 0;
      for (Index l = 0, r = v0 / width, q = v0 % width; l < live; l += width - q, ++r, q = 0)
        if (q < columns)
          runs[count++] = {l, std::min(columns - q, live - l), r * target.row + q * target.column};
      for (Index i = i0; i < i1; ++i)
        for (const Run* run = runs; run != runs + count; ++run)
          store_run(sums + (i - i0) * block + run->from, run->count,
                    target.bias ? target.bias[i] : T(0), target.add,
                    target.data + i * target.channel + run->to, target.column);
    }
}

/// Rows of a band: as many as fit the cache nearest to a core, and few enough for some twenty
/// tasks.
inline Index band_rows(Index rows, Index bytes_per_row, Index tasks_per_band) {
  constexpr Index cache = 160 * 1024, least = 4;
  const Index shared = divide_up(rows, divide_up(16, std::max<Index>(1, tasks_per_band)));
  return std::clamp(std::min(cache / std::max<Index>(1, bytes_per_row), shared),
                    std::min(least, rows), rows);
}

}  // namespace ebb::kernel::detail
