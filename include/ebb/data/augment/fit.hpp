/// \file
/// Images of any size brought to one size.
#pragma once

#include <ebb/data/read/image/resize.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::data {

/// How an image takes a size of another shape.
enum class Fit {
  stretch,  ///< height and width each by their own factor
  pad       ///< both by one factor: what is missing on both sides is black
};

/// The image in another size. With `pad`, an image of another shape is as large as it can be in the
/// middle, and what is beside it is black (where its columns or rows are odd in number, one more of
/// them to the right or below). \throws ValueError when the size is not positive.
inline ByteImage resize(const ByteImage& x, Size2 size, Fit how) {
  const Size2 from{x.extent(1), x.extent(2)};
  if (from == size) return x;
  if (how == Fit::stretch || size.height < 1 || size.width < 1) return resize(x, size);
  const auto scaled = [](Index a, Index b, Index c) {  // a b / c, rounded, and 1 at least
    return std::max<Index>(1, (a * b + c / 2) / c);
  };
  const bool tall = from.height * size.width >= from.width * size.height;
  const Size2 inner =
      tall ? Size2{size.height, std::min(size.width, scaled(from.width, size.height, from.height))}
           : Size2{std::min(size.height, scaled(from.height, size.width, from.width)), size.width};
  ByteImage small = resize(x, inner);
  if (inner == size) return small;
  const Index top = (size.height - inner.height) / 2, left = (size.width - inner.width) / 2;
  ByteImage y = ByteImage::zeros({x.extent(0), size.height, size.width});
  for (Index c = 0; c < x.extent(0); ++c)
    for (Index i = 0; i < inner.height; ++i)
      std::copy_n(small.data() + (c * inner.height + i) * inner.width, inner.width,
                  y.mutable_data() + (c * size.height + top + i) * size.width + left);
  return y;
}

}  // namespace ebb::data
