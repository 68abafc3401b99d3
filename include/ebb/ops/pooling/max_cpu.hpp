/// \file
/// Maxima over windows on the CPU.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/device/math.hpp>
#include <ebb/ops/pooling/halving.hpp>
#include <ebb/ops/pooling/overlapping.hpp>
#include <ebb/ops/pooling/reference.hpp>
#include <ebb/ops/pooling/rows.hpp>

#include <limits>
#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: the greatest element of each window, and where it lies if `argmax` is there.
template <class T>
void max_pool2d_forward(Cpu, const Pool2dGeometry& g, View<const T, 4> x, View<T, 4> y,
                        View<int, 4> argmax) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::max_pool2d_forward(g, x, y, argmax);
  } else {
    if (detail::halves(g))
      return detail::each_pooled_row(g.planes, g.y.out, 4 * g.x.out, [&](Index plane, Index oy) {
        const Index o = (plane * g.y.out + oy) * g.x.out;
        const T* const top = x.data + (plane * g.y.in + 2 * oy) * g.x.in;
        detail::halve_by_max(top, top + g.x.in, static_cast<int>(2 * oy * g.x.in),
                             static_cast<int>(g.x.in), g.x.out, y.data + o,
                             argmax.data ? argmax.data + o : nullptr);
      });
    const bool threes = detail::threes(g);
    const Stretch whole = g.x.windows(0);  // the windows that begin inside the image,
    const Stretch inside = whole.both(g.x.windows(g.x.kernel - 1));  // and end there
    const auto row = [&](Index plane, Index oy) {
      const Index o = (plane * g.y.out + oy) * g.x.out;
      T* best = y.data + o;
      int* at = argmax.data ? argmax.data + o : nullptr;
      if (const Index top = g.y.at(oy, 0); threes && top >= 0 && top + 3 <= g.y.in)
        return detail::greatest_of_threes(g.x, inside, x.data + plane * g.y.in * g.x.in, top, best,
                                          at);
      EBB_SIMD
      for (Index ox = 0; ox < g.x.out; ++ox) best[ox] = -std::numeric_limits<T>::infinity();
      if (at) {
        // Where the first tap inside the image lies: the very first one, but at the edges.
        const Index first = g.y.at(oy, g.y.first_tap(oy)) * g.x.in;
        const auto edge = [&](Index ox) {
          at[ox] = static_cast<int>(first + g.x.at(ox, g.x.first_tap(ox)));
        };
        for (Index ox = 0; ox < whole.begin; ++ox) edge(ox);
        for (Index ox = whole.end; ox < g.x.out; ++ox) edge(ox);
        const int start = static_cast<int>(first - g.x.padding);
        const int step = static_cast<int>(g.x.stride);
        EBB_SIMD
        for (Index ox = whole.begin; ox < whole.end; ++ox)
          at[ox] = start + static_cast<int>(ox) * step;
      }
      for (Index ky = 0; ky < g.y.kernel; ++ky) {
        const Index iy = g.y.at(oy, ky);
        if (iy < 0 || iy >= g.y.in) continue;
        for (Index kx = 0; kx < g.x.kernel; ++kx) {
          const Stretch windows = g.x.windows(kx);
          const Index offset = kx * g.x.dilation - g.x.padding;
          const T* from = x.data + (plane * g.y.in + iy) * g.x.in + offset;
          const int number = static_cast<int>(iy * g.x.in + offset);
          detail::with_stride(g.x.stride, [&](auto stride) {
            const auto step = static_cast<Index>(stride);
            if (at) {
              EBB_SIMD
              for (Index ox = windows.begin; ox < windows.end; ++ox) {
                const T v = from[ox * step];
                const bool more = (v > best[ox]) | math::is_nan(v);
                best[ox] = math::select(more, v, best[ox]);
                at[ox] = math::select(more, number + static_cast<int>(ox * step), at[ox]);
              }
            } else {
              EBB_SIMD
              for (Index ox = windows.begin; ox < windows.end; ++ox) {
                const T v = from[ox * step];
                best[ox] = math::select((v > best[ox]) | math::is_nan(v), v, best[ox]);
              }
            }
          });
        }
      }
    };
    detail::each_pooled_row(g.planes, g.y.out, g.x.out * g.y.kernel * g.x.kernel, row);
  }
}

/// Kernel: each element receives dy of the windows it is the greatest of.
template <class T>
void max_pool2d_backward(Cpu, const Pool2dGeometry& g, View<const int, 4> argmax,
                         View<const T, 4> dy, Into<T, 4> dx) {
  if (detail::halves(g))
    return detail::each_pooled_row(g.planes, g.y.out, 4 * g.x.out, [&](Index plane, Index oy) {
      T* const to = dx.data + plane * g.y.in * g.x.in;
      const Index o = (plane * g.y.out + oy) * g.x.out, first = 2 * oy * g.x.in;
      const T* const from = dy.data + o;
      const int* const at = argmax.data + o;
      const int corner = static_cast<int>(first), width = static_cast<int>(g.x.in);
      const auto share = [=](Index ox, int tap) {
        const int here = corner + 2 * static_cast<int>(ox) + tap % 2 + tap / 2 * width;
        return math::select(at[ox] == here, from[ox], T(0));
      };
      detail::spread_over_halves(g.x.out, dx.add, share, to + first, to + first + g.x.in);
      if (!dx.add) detail::clear_behind_halves(g, oy, to);
    });
  const Index in = g.y.in * g.x.in, out = g.y.out * g.x.out;
  detail::each_pooled_plane(g.planes, in + out, [&](Index plane) {
    T* to = dx.data + plane * in;
    if (!dx.add) detail::zero_plane(to, in);
    const T* from = dy.data + plane * out;
    const int* at = argmax.data + plane * out;
    for (Index o = 0; o < out; ++o) to[at[o]] += from[o];
  });
}

#define EBB_MAX_POOL(T)                                                                    \
  EBB_COMPILED(void max_pool2d_forward<T>(Cpu, const Pool2dGeometry&, View<const T, 4>,    \
                                          View<T, 4>, View<int, 4>))                       \
  EBB_COMPILED(void max_pool2d_backward<T>(Cpu, const Pool2dGeometry&, View<const int, 4>, \
                                           View<const T, 4>, Into<T, 4>))
EBB_MAX_POOL(float)
EBB_MAX_POOL(double)
#undef EBB_MAX_POOL

}  // namespace ebb::kernel
