/// \file
/// Which taps of a kernel fall inside of the image, along one axis. Positions that see the same
/// taps form a class: within one, a convolution is a plain sum, and padding is never multiplied
/// with.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/ops/convolution/conv2d/geometry.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace ebb::inline EBB_ABI::kernel::detail {

/// The positions of one axis of a pass, and their taps. Forward, position o sees tap i at
/// o * stride + i * dilation - padding. In the gradient of the input, position h sees it at
/// (h + padding - i * dilation) / stride, where that divides.
struct TapAxis {
  /// Taps first, first + step, ... of the kernel, and the positions that see them.
  struct Class {
    Index first, count;
    std::vector<Index> positions;
  };
  std::vector<Class> classes;
  std::vector<Index> class_of, from;  ///< of each position: its class, where it sees its first tap
  Index step, shift;  ///< from one tap of a class to the next: in the kernel, in the source

  TapAxis(bool forward, Index positions, Index source, Index kernel, Index stride, Index padding,
          Index dilation)
      : class_of(static_cast<std::size_t>(positions)),
        from(static_cast<std::size_t>(positions)),
        step(forward ? 1 : stride / std::gcd(stride, dilation)),
        shift(forward ? dilation : -dilation * step / stride) {
    for (Index o = 0; o < positions; ++o) {
      Index first = 0, count = 0, start = 0;
      if (forward) {
        const Index at = o * stride - padding;
        first = at < 0 ? (dilation - 1 - at) / dilation : 0;
        const Index end = at >= source ? 0 : (source - 1 - at) / dilation + 1;
        count = std::max<Index>(0, std::min(kernel, end) - first);
        start = at + first * dilation;
      } else {
        const Index at = o + padding, past = at - stride * source;  // where stride * source is
        first = past >= 0 ? past / dilation + 1 : 0;
        const Index end = std::min(kernel, at / dilation + 1);
        for (Index i = 0; i < step && first < end && (at - first * dilation) % stride != 0; ++i)
          ++first;
        if (first < end && (at - first * dilation) % stride == 0) {
          count = (end - 1 - first) / step + 1;
          start = (at - first * dilation) / stride;
        }
      }
      if (count == 0) first = start = 0;
      std::size_t k = 0;
      while (k < classes.size() && (classes[k].first != first || classes[k].count != count)) ++k;
      if (k == classes.size()) classes.push_back({first, count, {}});
      classes[k].positions.push_back(o);
      class_of[static_cast<std::size_t>(o)] = static_cast<Index>(k);
      from[static_cast<std::size_t>(o)] = start;
    }
  }

  /// The taps that some position sees, in order; and of each tap of the kernel, its place among
  /// them, or -1.
  struct Live {
    std::vector<Index> taps, place;
  };
  Live live(Index kernel) const {
    Live seen{{}, std::vector<Index>(static_cast<std::size_t>(kernel), -1)};
    for (const Class& c : classes)
      for (Index i = 0; i < c.count; ++i)
        seen.place[static_cast<std::size_t>(c.first + i * step)] = 0;
    seen.taps.reserve(seen.place.size());
    for (Index& place : seen.place)
      if (place == 0) {
        place = static_cast<Index>(seen.taps.size());
        seen.taps.push_back(&place - seen.place.data());
      }
    return seen;
  }

  /// Taps of all classes together.
  Index total() const {
    Index sum = 0;
    for (const Class& c : classes) sum += c.count;
    return sum;
  }
};

/// What the forward pass and the gradient of the input have in common: sums over the taps of
/// `channels` planes of a source give each of `sums` channels of a target, group by group.
struct TapPass {
  const Conv2dGeometry& g;
  bool forward;
  Index channels, sums;  ///< of a group
  Size2 source, target;
  TapAxis rows, columns;

  TapPass(const Conv2dGeometry& geometry, bool is_forward)
      : g(geometry),
        forward(is_forward),
        channels(forward ? g.group_in() : g.group_out()),
        sums(forward ? g.group_out() : g.group_in()),
        source(forward ? g.input : g.output),
        target(forward ? g.output : g.input),
        rows(forward, target.height, source.height, g.kernel.height, g.stride.height,
             g.padding.height, g.dilation.height),
        columns(forward, target.width, source.width, g.kernel.width, g.stride.width,
                g.padding.width, g.dilation.width) {}

  /// Pairs of a class of rows and one of columns.
  Index pairs() const { return static_cast<Index>(rows.classes.size() * columns.classes.size()); }
  /// Taps of all pairs together.
  Index entries() const { return rows.total() * columns.total(); }
  /// Whether the offsets of all pairs make a table of reasonable size, as they do unless kernel
  /// and padding are both huge.
  bool reasonable() const { return entries() <= Index{1} << 20; }

  /// In the weights of a group, from those of a sum to those of the next, and from channel to
  /// channel.
  Index along() const { return (forward ? channels : 1) * g.kernel.area(); }
  Index across() const { return (forward ? 1 : sums) * g.kernel.area(); }
};

}  // namespace ebb::kernel::detail
