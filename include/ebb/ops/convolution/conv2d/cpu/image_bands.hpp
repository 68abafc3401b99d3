/// \file
/// How many rows of an image a task takes where vectors run along images (images.hpp), and whether
/// that layout pays.
#pragma once

#include <ebb/kit/counting.hpp>
#include <ebb/ops/convolution/conv2d/cpu/taps.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// A pass in bands of rows, for registers that hold `width` images, of scalars of so many bytes.
struct ImageBands : TapPass {
  Index width, scalar;

  ImageBands(const Conv2dGeometry& geometry, bool is_forward, Index images, Index bytes_of_scalar)
      : TapPass(geometry, is_forward), width(images), scalar(bytes_of_scalar) {}

  /// Whether most lanes get an image, and what a task lays out stays in the cache of a core.
  bool pays() const {
    return reasonable() && 4 * g.batch >= 3 * divide_up(g.batch, width) * width &&
           bytes(band()) <= cache_bytes;
  }

  struct Rows {
    Index first, count;
  };
  /// Rows of the target in a task, of a block of images: some sixteen tasks in all, no more rows
  /// than the cache holds, and no fewer than a kernel has, for neighbours share what they see.
  Index band() const {
    const Index least = std::min(g.kernel.height, target.height);
    const Index tasks = divide_up(g.batch, width) * g.groups;
    Index height = std::max(least, divide_up(target.height, divide_up(16, tasks)));
    while (height > least && bytes(height) > cache_bytes) height = std::max(least, height / 2);
    return height;
  }
  /// Rows of the source that a band sees at most.
  Index seen_by(Index band) const {
    Index most = 0;
    for (Index r = 0; r < target.height; r += band)
      most = std::max(most, seen(r, std::min(band, target.height - r)).count);
    return most;
  }
  /// The rows of the source that `count` rows of the target see, from `first` on.
  Rows seen(Index first, Index count) const {
    Index begin = source.height, end = 0;
    for (Index r = first; r < first + count; ++r) {
      const auto at = static_cast<std::size_t>(r);
      const Index taps = rows.classes[static_cast<std::size_t>(rows.class_of[at])].count;
      if (taps == 0) continue;
      const Index from = rows.from[at], to = from + (taps - 1) * rows.shift;
      begin = std::min({begin, from, to});
      end = std::max({end, from + 1, to + 1});
    }
    return end > begin ? Rows{begin, end - begin} : Rows{0, 0};
  }

 private:
  static constexpr Index cache_bytes = 256 * 1024;

  Index bytes(Index band) const {
    return (channels * seen_by(band) * source.width + sums * band * target.width) * width * scalar;
  }
};

}  // namespace ebb::kernel::detail
