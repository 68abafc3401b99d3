/// \file
/// The operands of a convolution as CUDA kernels gather them: elements of images, found by a pixel
/// and a tap.
#pragma once

#include <ebb/kit/epilogue.hpp>
#include <ebb/kit/product/stage.cuh>
#include <ebb/ops/convolution/conv2d/geometry.hpp>

#include <limits>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Part of the way to an element of images: how far it is in memory, and how many rows and columns.
/// The element of a line and a step lies at the sum of their places; outside of the image it is
/// zero.
template <class I>
struct Place {
  I offset, row, column;
};

/// Pixels of all images, numbered: a lattice of `rows` x `columns` in each, whose points are
/// `stride` apart.
template <class I>
struct Pixels {
  DivMod<I> rows, columns;
  I image, width;  ///< elements of an image (all channels), of a row
  I stride_row, stride_column, start_row, start_column;

  Pixels(Size2 lattice, Index image_size, Index row, Size2 stride, Size2 start)
      : rows(lattice.height),
        columns(lattice.width),
        image(static_cast<I>(image_size)),
        width(static_cast<I>(row)),
        stride_row(static_cast<I>(stride.height)),
        stride_column(static_cast<I>(stride.width)),
        start_row(static_cast<I>(start.height)),
        start_column(static_cast<I>(start.width)) {}

  EBB_DEVICE Place<I> operator()(I index) const {
    const I column = columns.take(index) * stride_column + start_column;
    const I row = rows.take(index) * stride_row + start_row;
    return {index * image + row * width + column, row, column};
  }
};

/// Channels and taps, numbered as they lie in a weight: taps are `apart` rows or columns apart.
template <class I>
struct KernelTaps {
  DivMod<I> rows, columns;
  I channel, width;  ///< elements of a channel, of a row
  I apart_row, apart_column;

  KernelTaps(Size2 kernel, Size2 plane, Size2 apart)
      : rows(kernel.height),
        columns(kernel.width),
        channel(static_cast<I>(plane.area())),
        width(static_cast<I>(plane.width)),
        apart_row(static_cast<I>(apart.height)),
        apart_column(static_cast<I>(apart.width)) {}

  EBB_DEVICE Place<I> operator()(I index) const {
    const I column = columns.take(index) * apart_column, row = rows.take(index) * apart_row;
    return {index * channel + row * width + column, row, column};
  }
};

/// Images as an operand. Neighbours in memory are lines (`Along`) or steps; packs of V may be
/// loaded where each lies in one row (of which a pointwise convolution has one for an image).
template <class T, class I, class Lines, class Steps, bool Along, int V>
struct ImageOperand {
  static constexpr bool along_lines = Along;
  static constexpr int pack = V;
  using Scalar = T;
  using Line = Place<I>;
  using Step = Place<I>;

  const T* data;
  I height, width;
  Lines lines;
  Steps steps;

  EBB_DEVICE Line line(I index, bool there) const { return there ? lines(index) : nowhere(); }
  EBB_DEVICE Step step(I index, bool there) const { return there ? steps(index) : nowhere(); }
  EBB_DEVICE gpu::Pack<T, V> load(const Line& line, const Step& step) const {
    if (inside(line, step)) return gpu::load_pack<V>(data + (line.offset + step.offset));
    return gpu::Pack<T, V>{};
  }
  EBB_DEVICE const T* find(const Line& line, const Step& step) const {
    return inside(line, step) ? data + (line.offset + step.offset) : nullptr;
  }

 private:
  EBB_DEVICE bool inside(const Line& line, const Step& step) const {
    using Bare = std::make_unsigned_t<I>;
    return static_cast<Bare>(line.row + step.row) < static_cast<Bare>(height) &&
           static_cast<Bare>(line.column + step.column) < static_cast<Bare>(width);
  }
  /// So far above the image that no step leads there, nor would two of them make it wrap around.
  EBB_DEVICE static Place<I> nowhere() { return {0, std::numeric_limits<I>::min() / 2, 0}; }
};

/// Planes as an operand: a line is a channel, and its steps are the pixels of all images.
template <class T, class I, int V>
struct PlanesOperand {
  static constexpr bool along_lines = false;
  static constexpr int pack = V;
  using Scalar = T;
  using Line = I;  ///< an offset; negative where there is no such line
  using Step = MaybeOffset<I>;

  const T* data;
  DivMod<I> area;
  I image;

  EBB_DEVICE Line line(I index, bool there) const { return there ? index * area.by() : -1; }
  EBB_DEVICE Step step(I index, bool there) const {
    const I pixel = area.take(index);
    return {index * image + pixel, there};
  }
  EBB_DEVICE gpu::Pack<T, V> load(Line line, Step step) const {
    return load_or_zero<V>(data, line, step);
  }
  EBB_DEVICE const T* find(Line line, Step step) const { return find_or_null(data, line, step); }
};

/// Where results that are images go: row i of a product is a channel, column j a pixel.
template <class T, class I>
struct ImageStore {
  T* data;  ///< the first channel
  Epilogue<T> end;
  I height, width;
  Pixels<I> pixels;
  bool packed;  ///< four pixels are neighbours, aligned, and in one image

  template <int V>
  EBB_DEVICE void put(I channel, I pixel, gpu::Pack<T, V> pack, I pixels_in_all) const {
    const T shift = end.shift(channel);
    const Index plane = static_cast<Index>(channel) * height * width;
    if (packed) {
      const Index at = plane + pixels(pixel).offset;
      EBB_UNROLL
      for (int v = 0; v < V; ++v) pack[v] = end.finish(pack[v] + shift, at + v);
      return gpu::store_pack<V>(data + at, pack);
    }
    EBB_UNROLL
    for (int v = 0; v < V; ++v) {
      if (pixel + v >= pixels_in_all) continue;
      const Place<I> place = pixels(pixel + v);
      const Index at = plane + place.offset;
      if (place.row < height && place.column < width) data[at] = end.finish(pack[v] + shift, at);
    }
  }
  /// Results of the channels from `channels` on, which are so many elements further.
  EBB_DEVICE void advance(I channels, Index elements) {
    data += elements;
    end = end.from(channels, elements);
  }
};

}  // namespace ebb::kernel::detail
