/// \file
/// Maxima over windows of three that overlap, the other common case: the three elements of a window
/// in one row of the image are looked at together, and going back, an element asks the one or two
/// windows a side that it lies in whether it is their greatest, so that both directions are
/// straight loops.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/math.hpp>
#include <ebb/ops/pool/geometry.hpp>
#include <ebb/ops/pool/halving.hpp>

namespace ebb::detail {

/// Whether windows are three neighbours wide, and overlap.
constexpr bool threes(const PoolAxis& a) {
  return a.kernel == 3 && a.dilation == 1 && a.stride <= 2;
}

/// Takes the elements from[o * stride], + 1 and + 2, the first of which has the number `number`,
/// into the greatest of windows o, and where they lie into `at`, if that is there.
template <Index stride, class T>
void take_threes(const T* from, int number, const Stretch& windows, T* best, int* at) {
  constexpr Index strip = 256;
  const auto more = [](T v, T than) { return (v > than) | (v != v); };  // a nan wins
  for (Index begin = windows.begin; begin < windows.end; begin += strip) {
    const Index count = windows.end - begin < strip ? windows.end - begin : strip;
    // Every other element apart, so that what follows reads neighbours.
    T evens[strip + 1], odds[strip];
    const T* v0 = from + begin * stride;
    const T *v1 = v0 + 1, *v2 = v0 + 2;
    if constexpr (stride == 2) {
      in_vectors(count, [&evens, &odds, v0](Index o) {
        evens[o] = v0[2 * o];
        odds[o] = v0[2 * o + 1];
      });
      evens[count] = v0[2 * count];
      v0 = evens, v1 = odds, v2 = evens + 1;
    }
    T* const most = best + begin;
    if (at == nullptr) {
      in_vectors(count, [=](Index o) {
        T b = most[o];
        b = math::select(more(v0[o], b), v0[o], b);
        b = math::select(more(v1[o], b), v1[o], b);
        most[o] = math::select(more(v2[o], b), v2[o], b);
      });
      continue;
    }
    int* const place = at + begin;
    const int first = number + static_cast<int>(begin * stride);
    in_vectors(count, [=](Index o) {
      const int here = first + static_cast<int>(o * stride);
      T b = most[o];
      int where = place[o];
      where = math::select(more(v0[o], b), here, where);
      b = math::select(more(v0[o], b), v0[o], b);
      where = math::select(more(v1[o], b), here + 1, where);
      b = math::select(more(v1[o], b), v1[o], b);
      where = math::select(more(v2[o], b), here + 2, where);
      b = math::select(more(v2[o], b), v2[o], b);
      most[o] = b;
      place[o] = where;
    });
  }
}

/// Windows in one row of the result: which element is the greatest of each, and its slope.
template <class T>
struct WindowRow {
  const int* at;
  const T* slope;

  /// What window `o` gives to element `element` of the plane.
  T given(Index o, int element) const { return math::select(at[o] == element, slope[o], T(0)); }
};

/// Writes one row of a gradient, whose first element is `first` of its plane: what the windows in
/// `rows` give, added up in their order. Element x lies in window m where x + padding is 2 m + 1,
/// and in m - 1 and m where it is 2 m.
template <int count, class T>
void gather_threes(const PoolAxis& axis, const WindowRow<T>* rows, int first, T* to) {
  const auto even = [=](Index m, Index x) {
    T sum = T(0);
#pragma GCC unroll 2
    for (int r = 0; r < count; ++r) {
      sum += rows[r].given(m - 1, first + static_cast<int>(x));
      sum += rows[r].given(m, first + static_cast<int>(x));
    }
    return sum;
  };
  const auto odd = [=](Index m, Index x) {
    T sum = T(0);
#pragma GCC unroll 2
    for (int r = 0; r < count; ++r) sum += rows[r].given(m, first + static_cast<int>(x));
    return sum;
  };
  // Windows 1 to `end` have both their neighbours and both elements inside.
  const Index padding = axis.padding, begin = 1;
  Index end = (axis.in + padding) / 2;
  if (end > axis.out) end = axis.out;
  if (end > begin) {
    T* const pairs = to + 2 * begin - padding;
    in_vectors(end - begin, [=](Index i) {
      const Index m = begin + i, x = 2 * m - padding;
      pairs[2 * i] = even(m, x);
      pairs[2 * i + 1] = odd(m, x + 1);
    });
  }
  // What lies before and behind them.
  const auto one = [&](Index x) {
    T sum = T(0);
    for (int r = 0; r < count; ++r)
      for (Index m = (x + padding) / 2 - 1; m <= (x + padding) / 2; ++m)
        if (m >= 0 && m < axis.out) sum += rows[r].given(m, first + static_cast<int>(x));
    return sum;
  };
  const Index left = 2 * begin - padding, right = end > begin ? 2 * end - padding : left;
  for (Index x = 0; x < axis.in && x < left; ++x) to[x] = one(x);
  for (Index x = right; x < axis.in; ++x) to[x] = one(x);
}

/// Writes the gradient of one plane of maxima over 3 x 3 windows of stride 2.
template <class T>
void spread_over_threes(const Pool2dGeometry& g, const int* at, const T* slope, T* to) {
  for (Index iy = 0; iy < g.y.in; ++iy) {
    const Index last = (iy + g.y.padding) / 2, before = (iy + g.y.padding) % 2 == 0 ? 1 : 0;
    WindowRow<T> rows[2];
    int count = 0;
    for (Index oy = last - before; oy <= last; ++oy)
      if (oy >= 0 && oy < g.y.out) rows[count++] = {at + oy * g.x.out, slope + oy * g.x.out};
    T* const row = to + iy * g.x.in;
    const int first = static_cast<int>(iy * g.x.in);
    if (count == 2)
      gather_threes<2>(g.x, rows, first, row);
    else if (count == 1)
      gather_threes<1>(g.x, rows, first, row);
    else
      for (Index x = 0; x < g.x.in; ++x) row[x] = T(0);
  }
}

}  // namespace ebb::detail
