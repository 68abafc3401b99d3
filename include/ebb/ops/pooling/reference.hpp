/// \file
/// Pooling by its definition.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/view.hpp>
#include <ebb/ops/pooling/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::reference {

/// y is the greatest element of each window, the first of several; a nan wins over numbers, as in
/// PyTorch. `argmax` (which may be absent) receives where in its plane it lies.
template <class T>
void max_pool2d_forward(const Pool2dGeometry& g, View<const T, 4> x, View<T, 4> y,
                        View<int, 4> argmax) {
  for (Index plane = 0; plane < g.planes; ++plane)
    for (Index oy = 0; oy < g.y.out; ++oy)
      for (Index ox = 0; ox < g.x.out; ++ox) {
        Index best = -1;
        T most{};
        for (Index ky = 0; ky < g.y.kernel; ++ky)
          for (Index kx = 0; kx < g.x.kernel; ++kx) {
            const Index iy = g.y.at(oy, ky), ix = g.x.at(ox, kx);
            if (iy < 0 || iy >= g.y.in || ix < 0 || ix >= g.x.in) continue;
            const T v = x.data[(plane * g.y.in + iy) * g.x.in + ix];
            if (best < 0 || v > most || math::is_nan(v)) {
              most = v;
              best = iy * g.x.in + ix;
            }
          }
        const Index o = (plane * g.y.out + oy) * g.x.out + ox;
        y.data[o] = most;
        if (argmax.data) argmax.data[o] = static_cast<int>(best);
      }
}

/// Each element receives dy of the windows it is the greatest of.
template <class T>
void max_pool2d_backward(const Pool2dGeometry& g, View<const int, 4> argmax, View<const T, 4> dy,
                         Into<T, 4> dx) {
  const Index in = g.y.in * g.x.in, out = g.y.out * g.x.out;
  if (!dx.add)
    for (Index i = 0; i < dx.size(); ++i) dx.data[i] = T(0);
  for (Index o = 0; o < dy.size(); ++o) dx.data[o / out * in + argmax.data[o]] += dy.data[o];
}

/// y is the mean of each window.
template <class T>
void avg_pool2d_forward(const Pool2dGeometry& g, View<const T, 4> x, View<T, 4> y) {
  for (Index plane = 0; plane < g.planes; ++plane)
    for (Index oy = 0; oy < g.y.out; ++oy)
      for (Index ox = 0; ox < g.x.out; ++ox) {
        T sum(0);
        for (Index ky = 0; ky < g.y.kernel; ++ky)
          for (Index kx = 0; kx < g.x.kernel; ++kx) {
            const Index iy = g.y.at(oy, ky), ix = g.x.at(ox, kx);
            if (iy < 0 || iy >= g.y.in || ix < 0 || ix >= g.x.in) continue;
            sum += x.data[(plane * g.y.in + iy) * g.x.in + ix];
          }
        y.data[(plane * g.y.out + oy) * g.x.out + ox] =
            sum / static_cast<T>(g.average_divisor(oy, ox));
      }
}

/// Every element of a window receives an equal share of its dy.
template <class T>
void avg_pool2d_backward(const Pool2dGeometry& g, View<const T, 4> dy, Into<T, 4> dx) {
  if (!dx.add)
    for (Index i = 0; i < dx.size(); ++i) dx.data[i] = T(0);
  for (Index plane = 0; plane < g.planes; ++plane)
    for (Index oy = 0; oy < g.y.out; ++oy)
      for (Index ox = 0; ox < g.x.out; ++ox) {
        const T share = dy.data[(plane * g.y.out + oy) * g.x.out + ox] /
                        static_cast<T>(g.average_divisor(oy, ox));
        for (Index ky = 0; ky < g.y.kernel; ++ky)
          for (Index kx = 0; kx < g.x.kernel; ++kx) {
            const Index iy = g.y.at(oy, ky), ix = g.x.at(ox, kx);
            if (iy < 0 || iy >= g.y.in || ix < 0 || ix >= g.x.in) continue;
            dx.data[(plane * g.y.in + iy) * g.x.in + ix] += share;
          }
      }
}

template <class T>
void adaptive_avg_pool2d_forward(const AdaptivePoolGeometry& g, View<const T, 4> x, View<T, 4> y) {
  for (Index plane = 0; plane < g.planes; ++plane)
    for (Index oy = 0; oy < g.out.height; ++oy)
      for (Index ox = 0; ox < g.out.width; ++ox) {
        const Stretch rows = g.rows(oy), columns = g.columns(ox);
        T sum(0);
        for (Index iy = rows.begin; iy < rows.end; ++iy)
          for (Index ix = columns.begin; ix < columns.end; ++ix)
            sum += x.data[(plane * g.in.height + iy) * g.in.width + ix];
        y.data[(plane * g.out.height + oy) * g.out.width + ox] =
            sum / static_cast<T>(rows.length() * columns.length());
      }
}

template <class T>
void adaptive_avg_pool2d_backward(const AdaptivePoolGeometry& g, View<const T, 4> dy,
                                  Into<T, 4> dx) {
  if (!dx.add)
    for (Index i = 0; i < dx.size(); ++i) dx.data[i] = T(0);
  for (Index plane = 0; plane < g.planes; ++plane)
    for (Index oy = 0; oy < g.out.height; ++oy)
      for (Index ox = 0; ox < g.out.width; ++ox) {
        const Stretch rows = g.rows(oy), columns = g.columns(ox);
        const T share = dy.data[(plane * g.out.height + oy) * g.out.width + ox] /
                        static_cast<T>(rows.length() * columns.length());
        for (Index iy = rows.begin; iy < rows.end; ++iy)
          for (Index ix = columns.begin; ix < columns.end; ++ix)
            dx.data[(plane * g.in.height + iy) * g.in.width + ix] += share;
      }
}

}  // namespace ebb::kernel::reference
