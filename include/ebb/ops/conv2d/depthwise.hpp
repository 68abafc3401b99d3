/// \file
/// Depthwise convolution: every channel is convolved alone, so that there is nothing to share but
/// the weights of a plane. A plane is copied into a frame of zeros, and vectors run along its rows.
#pragma once

#include <ebb/ops/conv2d/channel_tiles.hpp>
#include <ebb/ops/conv2d/planes.hpp>

namespace ebb {
namespace simd {

/// The outputs of a plane, and where in the frame each tap is seen.
struct DepthwisePlane {
  Index taps;
  const Index* offset;
  Index pitch;  ///< from one row of the frame to the next
  Index rows, columns;
};

/// Taps whose dot products are taken together: those of a 3x3 kernel.
inline constexpr int depthwise_taps = 9;

/// The functions of one instruction set for scalar T; what they compute stands in depthwise.inl.
template <class T>
struct DepthwiseLoops {
  int lanes = 0;
  void (*copy_rows)(const T* from, Index rows, Index columns, Index from_pitch, T* to,
                    Index to_pitch) = nullptr;
  using Plane = void (*)(const DepthwisePlane& plane, const T* w, const T* source, T* y,
                         const ChannelEpilogue<T>& end);
  Plane plane[3] = {};  ///< [v] is 2^v registers wide
  Plane three[2] = {};  ///< the same for three rows of taps that are neighbours in the frame
  /// [1] is for the nine taps of a 3x3 kernel whose rows are neighbours in the frame.
  void (*dots[2])(const DepthwisePlane& plane, const T* dy, Index dy_pitch, const T* source,
                  T* sums) = {};
};

namespace portable {
#define EBB_DEPTHWISE_TARGET
#define EBB_DEPTHWISE_BYTES 16
#include <ebb/ops/conv2d/depthwise.inl>
}  // namespace portable

#if EBB_X86
namespace avx2 {
#  define EBB_DEPTHWISE_TARGET __attribute__((target("avx2,fma")))
#  define EBB_DEPTHWISE_BYTES 32
#  include <ebb/ops/conv2d/depthwise.inl>
}  // namespace avx2

namespace avx512 {
#  define EBB_DEPTHWISE_TARGET __attribute__((target("avx512f")))
#  define EBB_DEPTHWISE_BYTES 64
#  include <ebb/ops/conv2d/depthwise.inl>
}  // namespace avx512
#endif

/// The functions of the instruction set in use.
template <class T>
DepthwiseLoops<T> depthwise_loops() {
#if EBB_X86
  if (isa() == Isa::avx512) return avx512::depthwise_loops<T>();
  if (isa() == Isa::avx2) return avx2::depthwise_loops<T>();
#endif
  return portable::depthwise_loops<T>();
}

}  // namespace simd

namespace detail {

/// A plane inside of zeros, so that all its taps are offsets. The forward pass and the gradient of
/// the weight see x, one frame for each phase of the stride; the gradient of the input sees dy with
/// zeros between its pixels where there is a stride, and the kernel turned round.
struct DepthwiseFrame {
  Size2 source;  ///< extents of the plane
  Size2 first;   ///< where it begins; may be negative
  Size2 step;    ///< from pixel to pixel
  Size2 phases;  ///< frames
  Size2 sums;    ///< extents of the result
  Size2 size;    ///< of a frame
  Index elements;
  std::vector<Index> offset;

  DepthwiseFrame(const Conv2dGeometry& g, bool forward)
      : source(forward ? g.input : g.output),
        first(g.padding),
        step(forward ? Size2(1) : g.stride),
        phases(forward ? g.stride : Size2(1)),
        sums(forward ? g.output : g.input) {
    const Size2 d = g.dilation, k = g.kernel;
    phases = {std::min(phases.height, d.height * (k.height - 1) + 1),
              std::min(phases.width, d.width * (k.width - 1) + 1)};
    const Size2 s = forward ? g.stride : Size2(1);
    const Size2 halo{d.height * (k.height - 1), d.width * (k.width - 1)};
    if (!forward) first = {halo.height - g.padding.height, halo.width - g.padding.width};
    size = {sums.height + halo.height / s.height, sums.width + halo.width / s.width};
    // Loops read whole registers, up to four beyond a row, and up to seven rows beyond the last.
    elements = phases.area() * size.area() + 8 * size.width + 4 * simd::Tiles<float>::most_lanes;
    for (Index i = 0; i < k.height; ++i)
      for (Index j = 0; j < k.width; ++j) {
        const Index h = i * d.height, w = j * d.width;
        offset.push_back(((h % s.height) * phases.width + w % s.width) * size.area() +
                         h / s.height * size.width + w / s.width);
      }
  }

  /// Whether a row of taps stands one row of the frame below that before.
  bool rows_adjoin(const Conv2dGeometry& g) const {
    return offset[static_cast<std::size_t>(g.kernel.width)] == size.width;
  }

  /// Writes the plane at `from` into a frame that is zero elsewhere.
  template <class T>
  void fill(const Conv2dGeometry& g, const simd::DepthwiseLoops<T>& loops, const T* from,
            T* to) const {
    if (phases == Size2(1) && g.stride == Size2(1)) {
      const Index top = std::max<Index>(0, -first.height), left = std::max<Index>(0, -first.width);
      const Index rows = std::min(source.height, size.height - first.height) - top;
      const Index columns = std::min(source.width, size.width - first.width) - left;
      if (rows > 0 && columns > 0)
        loops.copy_rows(from + top * source.width + left, rows, columns, source.width,
                        to + (top + first.height) * size.width + left + first.width, size.width);
    } else if (step == Size2(1)) {
      for (Index i = 0; i < phases.height; ++i)
        for (Index j = 0; j < phases.width; ++j, to += size.area())
          copy_window(from, source, i - first.height, j - first.width, g.stride, size.height,
                      size.width, to);
    } else {
      for (Index h = 0; h < source.height; ++h) {
        const Index row = first.height + h * step.height;
        if (row < 0 || row >= size.height) continue;
        for (Index w = 0; w < source.width; ++w) {
          const Index column = first.width + w * step.width;
          if (column >= 0 && column < size.width)
            to[row * size.width + column] = from[h * source.width + w];
        }
      }
    }
  }
};

/// The forward pass, and the gradient of the input.
template <class T>
void conv2d_depthwise(const Conv2dGeometry& g, bool forward, const T* x, const T* w, T* y,
                      const simd::ChannelEpilogue<T>& end) {
  const simd::DepthwiseLoops<T> loops = simd::depthwise_loops<T>();
  const DepthwiseFrame frame(g, forward);
  const Index taps = g.kernel.area(), planes = g.batch * g.groups;
  const simd::DepthwisePlane plane{taps, frame.offset.data(), frame.size.width, frame.sums.height,
                                   frame.sums.width};
  const Index registers = divide_up(frame.sums.width, loops.lanes);
  const bool three = g.kernel.height == 3 && frame.rows_adjoin(g);
  const auto run =
      three ? loops.three[registers > 1] : loops.plane[std::min<Index>(registers, 3) - 1];
  const Scratch<T> scratch = Scratch<T>::per_thread(frame.elements + taps);
  const Index each = std::max<Index>(1, planes / 64);
  parallel_for(divide_up(planes, each), g.macs() / 4, [&](Index task) {
    T *const source = scratch.mine(), *const turned = source + frame.elements;
    for (Index i = 0; i < frame.elements; ++i) source[i] = T(0);
    for (Index p = task * each; p < std::min(planes, (task + 1) * each); ++p) {
      const Index channel = p % g.groups;
      const T* weights = w + channel * taps;
      if (!forward) {
        for (Index k = 0; k < taps; ++k) turned[k] = weights[taps - 1 - k];
        weights = turned;
      }
      frame.fill(g, loops, x + p * frame.source.area(), source);
      simd::ChannelEpilogue<T> here = end;
      if (here.bias) here.bias += channel;
      run(plane, weights, source, y + p * frame.sums.area(), here);
    }
  });
}

/// The gradient of the weight.
template <class T>
void conv2d_depthwise_grad_weight(const Conv2dGeometry& g, const T* x, const T* dy, T* dw,
                                  bool add) {
  const simd::DepthwiseLoops<T> loops = simd::depthwise_loops<T>();
  constexpr Index together = simd::depthwise_taps;
  const DepthwiseFrame frame(g, true);
  const Index taps = g.kernel.area(), blocks = divide_up(taps, together), lanes = loops.lanes;
  std::vector<Index> offset = frame.offset;
  offset.resize(static_cast<std::size_t>(blocks * together), 0);
  const bool three = g.kernel == Size2(3) && frame.rows_adjoin(g);
  // Rows of dy are read where they lie, but for the ends that do not fill a register: these get
  // zeros after them.
  const Index height = g.output.height, width = g.output.width;
  const Index full = width / lanes * lanes, ends = height * lanes;
  const Index sums = blocks * together * lanes;
  // A task: some neighbouring channels, whose planes follow each other, in some images.
  const Index block = std::min<Index>(16, g.groups), bands = divide_up(g.groups, block);
  const Index parts = std::clamp<Index>(divide_up(32, bands), 1, g.batch);
  const Index each = divide_up(g.batch, parts), splits = divide_up(g.batch, each);
  const Scratch<T> partial(splits * g.groups * taps);
  const Index scratch_size = frame.elements + ends + block * sums;
  const Scratch<T> scratch = Scratch<T>::per_thread(scratch_size);
  parallel_for(splits * bands, g.macs() / 4, [&](Index task) {
    const Index first = task % bands * block, split = task / bands;
    const Index channels = std::min(block, g.groups - first);
    T* const source = scratch.mine();
    T *const lines = source + frame.elements, *const sum = lines + ends;
    for (Index i = 0; i < scratch_size; ++i) source[i] = T(0);
    for (Index n = split * each; n < std::min(g.batch, (split + 1) * each); ++n)
      for (Index c = 0; c < channels; ++c) {
        const Index p = n * g.groups + first + c;
        frame.fill(g, loops, x + p * g.input.area(), source);
        const T* const slopes = dy + p * g.output.area();
        if (full < width) loops.copy_rows(slopes + full, height, width - full, width, lines, lanes);
        for (Index b = 0; b < blocks; ++b) {
          simd::DepthwisePlane plane{together, offset.data() + b * together, frame.size.width,
                                     height, full};
          T* const to = sum + c * sums + b * together * lanes;
          loops.dots[three](plane, slopes, width, source, to);
          plane.columns = lanes;
          if (full < width) loops.dots[three](plane, lines, lanes, source + full, to);
        }
      }
    for (Index c = 0; c < channels; ++c)
      for (Index k = 0; k < taps; ++k) {
        T* const part = sum + c * sums + k * lanes;
        for (Index step = lanes / 2; step > 0; step /= 2)
          for (Index l = 0; l < step; ++l) part[l] += part[l + step];
        partial.data()[(split * g.groups + first + c) * taps + k] = part[0];
      }
  });
  add_pieces(partial.data(), splits, g.groups * taps, dw, add);
}

}  // namespace detail
}  // namespace ebb
