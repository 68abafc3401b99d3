/// \file
/// Means over windows on the CPU, and over the windows of adaptive pooling.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/kit/lanes.hpp>
#include <ebb/ops/pooling/halving.hpp>
#include <ebb/ops/pooling/reference.hpp>
#include <ebb/ops/pooling/rows.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: the mean of each window.
template <class T>
void avg_pool2d_forward(Cpu, const Pool2dGeometry& g, View<const T, 4> x, View<T, 4> y) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::avg_pool2d_forward(g, x, y);
  } else {
    if (detail::halves(g)) {
      const T divisor = static_cast<T>(g.average_divisor(0, 0));
      return detail::each_pooled_row(g.planes, g.y.out, 4 * g.x.out, [&](Index plane, Index oy) {
        const T* const top = x.data + (plane * g.y.in + 2 * oy) * g.x.in;
        const T* const bottom = top + g.x.in;
        T* const to = y.data + (plane * g.y.out + oy) * g.x.out;
        detail::in_vectors(g.x.out, [=](Index o) {
          to[o] = (((top[2 * o] + top[2 * o + 1]) + bottom[2 * o]) + bottom[2 * o + 1]) / divisor;
        });
      });
    }
    const auto row = [&](Index plane, Index oy) {
      T* sum = y.data + (plane * g.y.out + oy) * g.x.out;
      for (Index ox = 0; ox < g.x.out; ++ox) sum[ox] = T(0);
      for (Index ky = 0; ky < g.y.kernel; ++ky) {
        const Index iy = g.y.at(oy, ky);
        if (iy < 0 || iy >= g.y.in) continue;
        for (Index kx = 0; kx < g.x.kernel; ++kx) {
          const Stretch windows = g.x.windows(kx);
          const T* from = x.data + (plane * g.y.in + iy) * g.x.in + kx - g.x.padding;
          detail::with_stride(g.x.stride, [&](auto stride) {
            const auto step = static_cast<Index>(stride);
            EBB_SIMD
            for (Index ox = windows.begin; ox < windows.end; ++ox) sum[ox] += from[ox * step];
          });
        }
      }
      for (Index ox = 0; ox < g.x.out; ++ox) sum[ox] /= static_cast<T>(g.average_divisor(oy, ox));
    };
    detail::each_pooled_row(g.planes, g.y.out, g.x.out * g.y.kernel * g.x.kernel, row);
  }
}

/// Kernel: every element of a window receives an equal share of its dy.
template <class T>
void avg_pool2d_backward(Cpu, const Pool2dGeometry& g, View<const T, 4> dy, Into<T, 4> dx) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::avg_pool2d_backward(g, dy, dx);
  } else {
    if (detail::halves(g)) {
      const T divisor = static_cast<T>(g.average_divisor(0, 0));
      return detail::each_pooled_row(g.planes, g.y.out, 4 * g.x.out, [&](Index plane, Index oy) {
        T* const to = dx.data + plane * g.y.in * g.x.in;
        T* const top = to + 2 * oy * g.x.in;
        const T* const from = dy.data + (plane * g.y.out + oy) * g.x.out;
        const auto share = [=](Index ox, int) { return from[ox] / divisor; };
        detail::spread_over_halves(g.x.out, dx.add, share, top, top + g.x.in);
        if (!dx.add) detail::clear_behind_halves(g, oy, to);
      });
    }
    constexpr Index strip = 256;  // windows whose shares are worked out at once
    const Index in = g.y.in * g.x.in;
    const Index work = in + g.y.out * g.x.out * g.y.kernel * g.x.kernel;
    detail::each_pooled_plane(g.planes, work, [&](Index plane) {
      T* to = dx.data + plane * in;
      if (!dx.add) detail::zero_plane(to, in);
      T share[strip];
      for (Index oy = 0; oy < g.y.out; ++oy)
        for (Index o = 0; o < g.x.out; o += strip) {
          const Index until = o + strip < g.x.out ? o + strip : g.x.out;
          const T* from = dy.data + (plane * g.y.out + oy) * g.x.out;
          for (Index ox = o; ox < until; ++ox)
            share[ox - o] = from[ox] / static_cast<T>(g.average_divisor(oy, ox));
          for (Index ky = 0; ky < g.y.kernel; ++ky) {
            const Index iy = g.y.at(oy, ky);
            if (iy < 0 || iy >= g.y.in) continue;
            for (Index kx = 0; kx < g.x.kernel; ++kx) {
              const Stretch windows = g.x.windows(kx);
              const Index begin = windows.begin > o ? windows.begin : o;
              const Index end = windows.end < until ? windows.end : until;
              T* target = to + iy * g.x.in + kx - g.x.padding;
              detail::with_stride(g.x.stride, [&](auto stride) {
                const auto step = static_cast<Index>(stride);
                EBB_SIMD
                for (Index ox = begin; ox < end; ++ox) target[ox * step] += share[ox - o];
              });
            }
          }
        }
    });
  }
}

/// Kernel: the mean of each window, which for one window per plane is a single long sum.
template <class T>
void adaptive_avg_pool2d_forward(Cpu, const AdaptivePoolGeometry& g, View<const T, 4> x,
                                 View<T, 4> y) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::adaptive_avg_pool2d_forward(g, x, y);
  } else {
    using W = detail::Wide<T>;
    const Index width = g.in.width;
    const auto row = [&](Index plane, Index oy) {
      const Stretch rows = g.rows(oy);
      const T* from = x.data + (plane * g.in.height + rows.begin) * width;
      T* to = y.data + (plane * g.out.height + oy) * g.out.width;
      for (Index ox = 0; ox < g.out.width; ++ox) {
        const Stretch columns = g.columns(ox);
        const auto sum = [&](const T* begin, Index n) {
          return detail::lane_sum<W>(n, [begin](Index i) { return begin[i]; });
        };
        W total = 0;
        if (columns.length() == width)  // whole rows: contiguous
          total = sum(from, rows.length() * width);
        else
          for (Index iy = 0; iy < rows.length(); ++iy)
            total += sum(from + iy * width + columns.begin, columns.length());
        to[ox] = static_cast<T>(total / static_cast<W>(rows.length() * columns.length()));
      }
    };
    const Index overlap = g.in.height / g.out.height + 1;
    detail::each_pooled_row(g.planes, g.out.height, overlap * width, row);
  }
}

/// Kernel: every element of a window receives an equal share of its dy.
template <class T>
void adaptive_avg_pool2d_backward(Cpu, const AdaptivePoolGeometry& g, View<const T, 4> dy,
                                  Into<T, 4> dx) {
  const Index in = g.in.area(), out = g.out.area();
  detail::each_pooled_plane(g.planes, 2 * in + out, [&](Index plane) {
    T* to = dx.data + plane * in;
    const T* from = dy.data + plane * out;
    if (out == 1) {
      const T share = from[0] / static_cast<T>(in);
      if (dx.add) {
        EBB_SIMD
        for (Index i = 0; i < in; ++i) to[i] += share;
      } else {
        EBB_SIMD
        for (Index i = 0; i < in; ++i) to[i] = share;
      }
      return;
    }
    if (!dx.add) detail::zero_plane(to, in);
    for (Index oy = 0; oy < g.out.height; ++oy)
      for (Index ox = 0; ox < g.out.width; ++ox) {
        const Stretch rows = g.rows(oy), columns = g.columns(ox);
        const T share =
            from[oy * g.out.width + ox] / static_cast<T>(rows.length() * columns.length());
        for (Index iy = rows.begin; iy < rows.end; ++iy)
          for (Index ix = columns.begin; ix < columns.end; ++ix) to[iy * g.in.width + ix] += share;
      }
  });
}

#define EBB_AVG_POOL(T)                                                                     \
  EBB_COMPILED(                                                                             \
      void avg_pool2d_forward<T>(Cpu, const Pool2dGeometry&, View<const T, 4>, View<T, 4>)) \
  EBB_COMPILED(                                                                             \
      void avg_pool2d_backward<T>(Cpu, const Pool2dGeometry&, View<const T, 4>, Into<T, 4>))
EBB_AVG_POOL(float)
EBB_AVG_POOL(double)
#undef EBB_AVG_POOL

}  // namespace ebb::kernel
