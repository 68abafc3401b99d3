/// \file
/// Depthwise convolution: every channel is convolved alone, so that there is nothing to share but
/// the weights of a plane, and vectors run along its rows. Unless three_rows.hpp can do, a plane is
/// copied into a frame of zeros.
#pragma once

#include <ebb/ops/convolution/conv2d/cpu/depthwise_loops.hpp>
#include <ebb/ops/convolution/conv2d/cpu/planes.hpp>
#include <ebb/ops/convolution/conv2d/cpu/three_rows.hpp>

#include <optional>

namespace ebb::inline EBB_ABI::kernel::detail {

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
class DepthwisePass {
 public:
  DepthwisePass(const Conv2dGeometry& g, bool forward) : g_(g), forward_(forward) {}

  /// The gradient of the input sees the kernel turned round.
  bool packs_first() const { return !forward_; }
  Index packed() const { return forward_ ? 0 : g_.groups * g_.kernel.area(); }

  /// Writes the weights as (channel, tap from the last to the first).
  void pack(const T* w, T* to) const {
    const Index taps = g_.kernel.area();
    for (Index c = 0; c < g_.groups; ++c)
      std::reverse_copy(w + c * taps, w + (c + 1) * taps, to + c * taps);
  }

  void run(const T* x, MaybePacked<T> w, T* y, const simd::TileEpilogue<T>& end) const {
    const simd::DepthwiseLoops<T> loops = simd::depthwise_loops<T>();
    const DepthwiseFrame frame(g_, forward_);
    const Index taps = g_.kernel.area(), planes = g_.batch * g_.groups;
    const simd::DepthwisePlane plane{taps, frame.offset.data(), frame.size.width, frame.sums.height,
                                     frame.sums.width};
    const Index registers = divide_up(frame.sums.width, loops.lanes);
    const auto sum_plane = loops.plane[std::min<Index>(registers, 3) - 1];
    const Scratch<T> scratch = Scratch<T>::per_thread(frame.elements);  // (phase, row, column)
    const Index each = std::max<Index>(1, planes / 64);
    parallel_for(divide_up(planes, each), g_.macs() / 4, [&](Index task) {
      T* const source = scratch.mine();
      for (Index i = 0; i < frame.elements; ++i) source[i] = T(0);
      for (Index p = task * each; p < std::min(planes, (task + 1) * each); ++p) {
        const Index channel = p % g_.groups;
        frame.fill(g_, loops, x + p * frame.source.area(), source);
        T* const to = y + p * frame.sums.area();
        sum_plane(plane, w.data + channel * taps, source, to, end.from(channel));
        end.afterwards(to, frame.sums.area());
      }
    });
  }

 private:
  const Conv2dGeometry& g_;
  bool forward_;
};

/// The gradient of the weight; that of a 3x3 kernel of stride 1 from planes where they lie, in
/// `three` rows.
template <class T>
void conv2d_depthwise_grad_weight(const Conv2dGeometry& g, bool three, const T* x, const T* dy,
                                  T* dw, bool add) {
  const simd::DepthwiseLoops<T> loops = simd::depthwise_loops<T>();
  constexpr Index together = simd::depthwise_taps;
  const DepthwiseFrame frame(g, true);
  const Index taps = g.kernel.area(), blocks = divide_up(taps, together), lanes = loops.lanes;
  std::vector<Index> offset = frame.offset;
  offset.resize(static_cast<std::size_t>(blocks * together), 0);
  std::optional<ThreeRows<T>> rows;
  if (three) rows.emplace(g, true, lanes, false, true);
  const simd::DepthwisePlane in_place = three ? rows->plane(taps, 1) : simd::DepthwisePlane{};
  // Otherwise rows of dy are read where they lie, but for the ends that do not fill a register:
  // these get zeros after them.
  const Index height = g.output.height, width = g.output.width;
  const Index full = width / lanes * lanes, ends = height * lanes;
  constexpr Index all = sum_lanes<T>;
  const Index sums = blocks * together * all;
  // A task: some neighbouring channels, whose planes follow each other, in some images.
  const Index block = std::min<Index>(16, g.groups), bands = divide_up(g.groups, block);
  const Index parts = std::clamp<Index>(divide_up(32, bands), 1, g.batch);
  const Index each = divide_up(g.batch, parts), splits = divide_up(g.batch, each);
  const Scratch<T> partial(splits * g.groups * taps);
  const Index framed = three ? 0 : frame.elements + ends;
  const Index copied = three ? rows->room(g.input.area()) + rows->room(g.output.area()) : 0;
  const Index scratch_size = framed + copied + block * sums;
  const Scratch<T> scratch = Scratch<T>::per_thread(scratch_size);
  parallel_for(splits * bands, g.macs() / 4, [&](Index task) {
    const auto [split, band] = unravel(task, bands);
    const Index first = band * block;
    const Index channels = std::min(block, g.groups - first);
    T* const source = scratch.mine();
    T *const lines = source + std::max<Index>(0, framed - ends), *const sum =
                                                                     source + framed + copied;
    for (Index i = 0; i < scratch_size; ++i) source[i] = T(0);
    for (Index n = split * each; n < std::min(g.batch, (split + 1) * each); ++n)
      for (Index c = 0; c < channels; ++c) {
        const Index p = n * g.groups + first + c;
        if (three) {
          const Index area = g.input.area(), out = g.output.area();
          const Index planes = g.batch * g.groups;
          const T* const seen = rows->find(x, planes * area, p * area, area, source);
          const T* const slopes =
              rows->find(dy, planes * out, p * out, out, source + rows->room(area));
          loops.dots[1](in_place, slopes, width, seen, sum + c * sums);
          continue;
        }
        frame.fill(g, loops, x + p * g.input.area(), source);
        const T* const slopes = dy + p * g.output.area();
        if (full < width) loops.copy_rows(slopes + full, height, width - full, width, lines, lanes);
        for (Index b = 0; b < blocks; ++b) {
          simd::DepthwisePlane plane{together, offset.data() + b * together, frame.size.width,
                                     height, full};
          T* const to = sum + c * sums + b * together * all;
          loops.dots[0](plane, slopes, width, source, to);
          plane.columns = lanes;
          if (full < width) loops.dots[0](plane, lines, lanes, source + full, to + full % all);
        }
      }
    for (Index c = 0; c < channels; ++c)
      for (Index k = 0; k < taps; ++k) {
        T* const part = sum + c * sums + k * all;
        for (Index step = all / 2; step > 0; step /= 2)
          for (Index l = 0; l < step; ++l) part[l] += part[l + step];
        partial.data()[(split * g.groups + first + c) * taps + k] = part[0];
      }
  });
  add_pieces(partial.data(), splits, g.groups * taps, dw, add);
}

}  // namespace ebb::kernel::detail
