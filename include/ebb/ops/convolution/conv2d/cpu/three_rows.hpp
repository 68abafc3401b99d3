/// \file
/// Convolution by a kernel three rows high, of stride 1, for depthwise convolution and for sums
/// over few channels. Vectors run along rows of pixels, which are read where they lie. Each row of
/// a plane is read once, for all three rows of sums that it takes part in. The sums stay in
/// registers over all planes.
#pragma once

#include <ebb/device/cpu/scratch.hpp>
#include <ebb/kit/product/cpu.hpp>
#include <ebb/ops/convolution/conv2d/cpu/depthwise_loops.hpp>
#include <ebb/ops/convolution/conv2d/geometry.hpp>

#include <cstring>
#include <vector>

namespace ebb::inline EBB_ABI::kernel::detail {

/// What the loops must know of a plane that is read where it lies. Of the columns beside it they
/// read and mask what is there, so `before` elements in front of it and `after` behind it must be
/// some memory: of other planes, or of a copy.
template <class T>
struct ThreeRows {
  Size2 source, sums;
  Index above;                ///< rows of zeros above the source
  std::vector<Index> offset;  ///< of the taps of a row
  std::vector<unsigned char> masks;
  std::vector<Index> mask_at;
  Index before = 0, after = 0;

  /// For loops over `width` columns of sums at a time; the last ones `overlap` those before. The
  /// gradient of the weight wants a mask of the columns themselves, too.
  ThreeRows(const Conv2dGeometry& g, bool forward, Index width, bool overlap, bool mask_sums)
      : source(forward ? g.input : g.output),
        sums(forward ? g.output : g.input),
        above(forward ? g.padding.height : 2 - g.padding.height) {
    const Index d = g.dilation.width, halo = d * (g.kernel.width - 1);
    for (Index k = 0; k < g.kernel.width; ++k)
      offset.push_back(k * d - (forward ? g.padding.width : halo - g.padding.width));
    before = std::max<Index>(0, -offset.front());
    after = width + std::max<Index>(0, sums.width + offset.back() - source.width);
    std::vector<unsigned char> tile;
    for (Index next = 0; next < sums.width; next += width) {
      const Index q = overlap && sums.width >= width ? std::min(next, sums.width - width) : next;
      tile.clear();
      const auto add = [&](Index first, Index columns) {
        for (Index l = first; l < first + width; ++l)
          tile.insert(tile.end(), sizeof(T), l >= 0 && l < columns ? 0xff : 0);
      };
      for (const Index at : offset) add(q + at, source.width);
      if (mask_sums) add(q, sums.width);
      // Most tiles are inside, and share a mask.
      if (masks.empty() || !std::equal(tile.begin(), tile.end(),
                                       masks.end() - static_cast<std::ptrdiff_t>(tile.size())))
        masks.insert(masks.end(), tile.begin(), tile.end());
      mask_at.push_back(static_cast<Index>(masks.size() - tile.size()));
    }
  }

  simd::DepthwisePlane plane(Index taps, Index channels) const {
    simd::DepthwisePlane p{taps, offset.data(), source.width, sums.height, sums.width};
    p.channels = channels;
    p.apart = source.area();
    p.above = above;
    p.height = source.height;
    p.mask = masks.data();
    p.mask_at = mask_at.data();
    return p;
  }

  Index room(Index elements) const { return before + elements + after; }
  /// The `count` elements from `first` on, of `all` in an array: where they lie, or in a copy,
  /// where the array ends too soon.
  const T* find(const T* array, Index all, Index first, Index count, T* copy) const {
    if (first >= before && first + count + after <= all) return array + first;
    std::fill(copy, copy + before, T(0));
    std::copy(array + first, array + first + count, copy + before);
    std::fill(copy + before + count, copy + room(count), T(0));
    return copy + before;
  }
};

/// The forward pass, and the gradient of the input.
template <class T>
class ThreeRowsPass {
 public:
  ThreeRowsPass(const Conv2dGeometry& g, bool forward)
      : g_(g),
        forward_(forward),
        channels_(forward ? g.group_in() : g.group_out()),
        sums_(forward ? g.group_out() : g.group_in()) {}

  /// The gradient of the input sees the kernel turned round, sum by sum.
  bool packs_first() const { return !forward_; }
  Index packed() const { return forward_ ? 0 : g_.groups * sums_ * channels_ * g_.kernel.area(); }

  /// Writes the weights as (group, sum, channel, tap from the last to the first).
  void pack(const T* w, T* to) const {
    const Index taps = g_.kernel.area();
    for (Index row = 0; row < g_.groups * sums_ * channels_; ++row) {
      const auto [group, sum, channel] = unravel(row, sums_, channels_);
      const T* const from = w + ((group * channels_ + channel) * sums_ + sum) * taps;
      std::reverse_copy(from, from + taps, to + row * taps);
    }
  }

  void run(const T* x, MaybePacked<T> w, T* y, const simd::TileEpilogue<T>& end) const {
    const Index taps = g_.kernel.area(), all = g_.groups * sums_, planes = g_.batch * all;
    const bool several = (forward_ ? g_.output : g_.input).width > loops_.lanes;
    const ThreeRows<T> rows(g_, forward_, several ? 2 * loops_.lanes : loops_.lanes, !end.add,
                            false);
    const simd::DepthwisePlane plane = rows.plane(taps, channels_);
    const Index block = channels_ * rows.source.area();
    const Scratch<T> scratch = Scratch<T>::per_thread(rows.room(block));
    const Index each = std::max<Index>(1, planes / 64);
    parallel_for(divide_up(planes, each), g_.macs() / 4, [&](Index task) {
      for (Index p = task * each; p < std::min(planes, (task + 1) * each); ++p) {
        const Index sum = p % all, seen = p / sums_;
        const T* const source =
            rows.find(x, g_.batch * g_.groups * block, seen * block, block, scratch.mine());
        T* const to = y + p * rows.sums.area();
        loops_.three[several](plane, w.data + sum * channels_ * taps, source, to, end.from(sum));
        end.afterwards(to, rows.sums.area());
      }
    });
  }

 private:
  const Conv2dGeometry& g_;
  bool forward_;
  Index channels_, sums_;  ///< of a group: planes of the source, and of the target
  simd::DepthwiseLoops<T> loops_ = simd::depthwise_loops<T>();
};

}  // namespace ebb::kernel::detail
