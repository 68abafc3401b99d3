/// \file
/// Pooling on the CPU. Forward: a row of windows at a time, tap by tap, so that the inner loop runs
/// along the row. Backward: a plane is one task, which adds to its elements in the order of the
/// windows, so that the result is the same for any number of threads.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu.hpp>
#include <ebb/device/math.hpp>
#include <ebb/device/parallel.hpp>
#include <ebb/ops/lanes.hpp>
#include <ebb/ops/pool/halving.hpp>
#include <ebb/ops/pool/overlapping.hpp>
#include <ebb/ops/pool/reference.hpp>

#include <limits>
#include <type_traits>

namespace ebb {

namespace detail {

/// Calls row(plane, oy) for every row of every result plane; rows of one task are neighbours.
template <class Row>
void each_pooled_row(Index planes, Index rows, Index row_work, Row&& row) {
  const Index together = chunk / (row_work > 0 ? row_work : 1) + 1, all = planes * rows;
  vector_for((all + together - 1) / together, all * row_work, [&](Index task) {
    const Index begin = task * together, end = begin + together < all ? begin + together : all;
    Index plane = begin / rows, oy = begin % rows;
    for (Index r = begin; r < end; ++r) {
      row(plane, oy);
      if (++oy == rows) oy = 0, ++plane;
    }
  });
}

/// Calls f(plane) for every plane; planes of one task are neighbours.
template <class F>
void each_pooled_plane(Index planes, Index plane_work, F&& f) {
  each_pooled_row(planes, 1, plane_work, [&](Index plane, Index) { f(plane); });
}

/// Calls f with the stride as a constant where it is a usual one, so that loops vectorise.
template <class F>
void with_stride(Index stride, F&& f) {
  if (stride == 1)
    f(std::integral_constant<Index, 1>{});
  else if (stride == 2)
    f(std::integral_constant<Index, 2>{});
  else
    f(stride);
}

template <class T>
void zero_plane(T* plane, Index size) {
  EBB_SIMD
  for (Index i = 0; i < size; ++i) plane[i] = T(0);
}

}  // namespace detail

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
                const bool more = (v > best[ox]) | (v != v);
                best[ox] = math::select(more, v, best[ox]);
                at[ox] = math::select(more, number + static_cast<int>(ox * step), at[ox]);
              }
            } else {
              EBB_SIMD
              for (Index ox = windows.begin; ox < windows.end; ++ox) {
                const T v = from[ox * step];
                best[ox] = math::select((v > best[ox]) | (v != v), v, best[ox]);
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

#define EBB_POOL(T)                                                                         \
  EBB_COMPILED(void max_pool2d_forward<T>(Cpu, const Pool2dGeometry&, View<const T, 4>,     \
                                          View<T, 4>, View<int, 4>))                        \
  EBB_COMPILED(void max_pool2d_backward<T>(Cpu, const Pool2dGeometry&, View<const int, 4>,  \
                                           View<const T, 4>, Into<T, 4>))                   \
  EBB_COMPILED(                                                                             \
      void avg_pool2d_forward<T>(Cpu, const Pool2dGeometry&, View<const T, 4>, View<T, 4>)) \
  EBB_COMPILED(                                                                             \
      void avg_pool2d_backward<T>(Cpu, const Pool2dGeometry&, View<const T, 4>, Into<T, 4>))
EBB_POOL(float)
EBB_POOL(double)
#undef EBB_POOL

}  // namespace ebb
