/// \file
/// Pooling over 2 x 2 windows side by side, the common case: a row of windows is made of two rows
/// of the image, every element belongs to one window at most, so both directions are straight
/// loops.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/math.hpp>
#include <ebb/ops/pooling/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Whether the windows are 2 x 2, side by side and inside the image.
constexpr bool halves(const PoolAxis& a) {
  return a.kernel == 2 && a.stride == 2 && a.padding == 0 && a.dilation == 1 && 2 * a.out <= a.in;
}
constexpr bool halves(const Pool2dGeometry& g) { return halves(g.y) && halves(g.x); }

/// Calls f(i) for i in [0, n) in whole vectors; the last one overlaps the one before, so f must not
/// mind to be called twice.
template <class F>
void in_vectors(Index n, const F& f) {
  const auto some = [&f, n]<Index lanes>(std::integral_constant<Index, lanes>) {
    for (Index i = 0; i < n; i += lanes) {
      const Index begin = i + lanes <= n ? i : n - lanes;
      EBB_SIMD
      for (Index l = 0; l < lanes; ++l) f(begin + l);
    }
  };
  if (n >= 8)
    some(std::integral_constant<Index, 8>{});
  else if (n >= 4)
    some(std::integral_constant<Index, 4>{});
  else
    for (Index i = 0; i < n; ++i) f(i);
}

/// The greatest of each window in the image rows `top` and `bottom` of `width` elements, the upper
/// of which begins at element `first` of its plane; where it lies goes to `at`, if that is there.
template <class T>
void halve_by_max(const T* top, const T* bottom, int first, int width, Index windows, T* best,
                  int* at) {
  const auto more = [](T v, T than) { return (v > than) | math::is_nan(v); };  // a nan wins
  if (at == nullptr) {
    in_vectors(windows, [=](Index o) {
      const T v1 = top[2 * o + 1], v2 = bottom[2 * o], v3 = bottom[2 * o + 1];
      T b = top[2 * o];
      b = math::select(more(v1, b), v1, b);
      b = math::select(more(v2, b), v2, b);
      best[o] = math::select(more(v3, b), v3, b);
    });
    return;
  }
  in_vectors(windows, [=](Index o) {
    const int corner = first + 2 * static_cast<int>(o);
    const T v1 = top[2 * o + 1], v2 = bottom[2 * o], v3 = bottom[2 * o + 1];
    T b = top[2 * o];
    int where = corner;
    where = math::select(more(v1, b), corner + 1, where);
    b = math::select(more(v1, b), v1, b);
    where = math::select(more(v2, b), corner + width, where);
    b = math::select(more(v2, b), v2, b);
    where = math::select(more(v3, b), corner + width + 1, where);
    b = math::select(more(v3, b), v3, b);
    best[o] = b;
    at[o] = where;
  });
}

/// Writes, or adds, share(o, tap) to the four elements of every window o.
template <class T, class Share>
void spread_over_halves(Index windows, bool add, const Share& share, T* top, T* bottom) {
  if (add) {
    EBB_SIMD
    for (Index o = 0; o < windows; ++o) {
      top[2 * o] += share(o, 0);
      top[2 * o + 1] += share(o, 1);
      bottom[2 * o] += share(o, 2);
      bottom[2 * o + 1] += share(o, 3);
    }
  } else {
    in_vectors(windows, [=](Index o) {
      top[2 * o] = share(o, 0);
      top[2 * o + 1] = share(o, 1);
      bottom[2 * o] = share(o, 2);
      bottom[2 * o + 1] = share(o, 3);
    });
  }
}

/// Sets what no window covers to zero: the last column and the last row of odd images.
template <class T>
void clear_behind_halves(const Pool2dGeometry& g, Index oy, T* plane) {
  const Index width = g.x.in, covered = 2 * g.x.out;
  for (Index iy = 2 * oy; iy < 2 * oy + 2; ++iy)
    for (Index ix = covered; ix < width; ++ix) plane[iy * width + ix] = T(0);
  if (oy + 1 == g.y.out)
    for (Index i = 2 * g.y.out * width; i < g.y.in * width; ++i) plane[i] = T(0);
}

}  // namespace ebb::kernel::detail
