/// \file
/// Maxima over 3 x 3 windows that overlap, the other common case: the nine elements of a window are
/// looked at together.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/math.hpp>
#include <ebb/ops/pooling/geometry.hpp>
#include <ebb/ops/pooling/halving.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Whether windows are 3 x 3 neighbours, and overlap.
constexpr bool threes(const PoolAxis& a) {
  return a.kernel == 3 && a.dilation == 1 && a.stride <= 2;
}
constexpr bool threes(const Pool2dGeometry& g) { return threes(g.y) && threes(g.x); }

/// The greatest of the nine elements from element o * stride of `top` on in three rows of `width`
/// elements, for windows o; element 0 of `top` has the number `number`. Where it lies goes to `at`,
/// if that is there.
template <Index stride, class T>
void greatest_of_nine(const T* top, Index width, int number, const Stretch& windows, T* best,
                      int* at) {
  constexpr Index strip = 256;
  struct Taps {
    const T* row[3][3];
  };
  const auto more = [](T v, T than) { return (v > than) | math::is_nan(v); };  // a nan wins
  for (Index begin = windows.begin; begin < windows.end; begin += strip) {
    const Index count = windows.end - begin < strip ? windows.end - begin : strip;
    T evens[3][strip + 8], odds[3][strip + 8];
    Taps taps;
    for (int r = 0; r < 3; ++r) {
      const T* const from = top + r * width + begin * stride;
      if constexpr (stride == 2) {
        // Every other element apart, so that vectors hold neighbours.
        T *const even = evens[r], *const odd = odds[r];
        in_vectors(count, [=](Index o) {
          even[o] = from[2 * o];
          odd[o] = from[2 * o + 1];
        });
        even[count] = from[2 * count];
        taps.row[r][0] = even, taps.row[r][1] = odd, taps.row[r][2] = even + 1;
      } else {
        for (int k = 0; k < 3; ++k) taps.row[r][k] = from + k;
      }
    }
    T* const most = best + begin;
    if (at == nullptr) {
      in_vectors(count, [=](Index o) {
        T b = taps.row[0][0][o];
#pragma GCC unroll 9
        for (int tap = 1; tap < 9; ++tap) {
          const T v = taps.row[tap / 3][tap % 3][o];
          b = math::select(more(v, b), v, b);
        }
        most[o] = b;
      });
      continue;
    }
    int* const place = at + begin;
    const int first = number + static_cast<int>(begin * stride), down = static_cast<int>(width);
    in_vectors(count, [=](Index o) {
      const int corner = first + static_cast<int>(o * stride);
      T b = taps.row[0][0][o];
      int where = corner;
#pragma GCC unroll 9
      for (int tap = 1; tap < 9; ++tap) {
        const T v = taps.row[tap / 3][tap % 3][o];
        where = math::select(more(v, b), corner + tap / 3 * down + tap % 3, where);
        b = math::select(more(v, b), v, b);
      }
      most[o] = b;
      place[o] = where;
    });
  }
}

/// A row of windows, three rows of the image high, all of which exist: `plane` is the image, `row`
/// the first of the three. Windows that are not `inside` hang over an edge, and are looked at one
/// by one.
template <class T>
void greatest_of_threes(const PoolAxis& axis, const Stretch& inside, const T* plane, Index row,
                        T* best, int* at) {
  const Index width = axis.in, corner = row * width - axis.padding;
  const auto number = static_cast<int>(corner);
  if (axis.stride == 2)
    greatest_of_nine<2>(plane + corner, width, number, inside, best, at);
  else
    greatest_of_nine<1>(plane + corner, width, number, inside, best, at);
  const auto edge = [&](Index o) {
    Index left = axis.at(o, 0), right = left + 3;
    if (left < 0) left = 0;
    if (right > width) right = width;
    Index where = row * width + left;
    T b = plane[where];
    for (Index y = row; y < row + 3; ++y)
      for (Index here = y * width + left; here < y * width + right; ++here) {
        const T v = plane[here];
        const bool more = (v > b) | math::is_nan(v);
        b = more ? v : b;
        where = more ? here : where;
      }
    best[o] = b;
    if (at) at[o] = static_cast<int>(where);
  };
  for (Index o = 0; o < inside.begin; ++o) edge(o);
  for (Index o = inside.end; o < axis.out; ++o) edge(o);
}

}  // namespace ebb::kernel::detail
