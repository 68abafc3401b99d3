/// \file
/// Upsampling on the CPU: forward row by row; backward, a plane is one task, which adds to its
/// elements in the order of the result, so that any number of threads gives the same bits.
/// Where a column comes from is worked out once for a strip of columns and used for every row.
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/pooling/upsample/reference.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

inline constexpr Index upsample_strip = 256;

/// Calls f(plane, first row, end row) on bands of rows of every result plane.
template <class F>
void each_band(const UpsampleGeometry& g, F&& f) {
  const Index wanted = chunk / g.x.out + 1, together = wanted < g.y.out ? wanted : g.y.out;
  const Index bands = divide_up(g.y.out, together);
  parallel_for(g.planes * bands, 4 * g.size(), [&](Index task) {
    const Index begin = task % bands * together;
    f(task / bands, begin, begin + together < g.y.out ? begin + together : g.y.out);
  });
}

/// The sources of a strip of columns.
template <class T>
struct ColumnSources {
  Index count = 0;
  Index first[upsample_strip], second[upsample_strip];
  T left[upsample_strip], right[upsample_strip];  ///< their weights

  ColumnSources(const UpsampleAxis& axis, Index begin) {
    count = axis.out - begin < upsample_strip ? axis.out - begin : upsample_strip;
    for (Index i = 0; i < count; ++i) {
      const Neighbours h = axis.between(begin + i);
      first[i] = h.first;
      second[i] = h.second;
      left[i] = static_cast<T>(1 - h.weight);
      right[i] = static_cast<T>(h.weight);
    }
  }
};

template <class T>
void clear_unless_adding(const Into<T, 4>& dx, Index begin, Index count) {
  if (!dx.add)
    for (Index i = begin; i < begin + count; ++i) dx.data[i] = T(0);
}

}  // namespace detail

/// Kernel: every result pixel repeats the nearest one.
template <class T>
void upsample_nearest_forward(Cpu, const UpsampleGeometry& g, View<const T, 4> x, View<T, 4> y) {
  detail::each_band(g, [&](Index plane, Index begin, Index end) {
    for (Index o = 0; o < g.x.out; o += detail::upsample_strip) {
      const Index columns =
          g.x.out - o < detail::upsample_strip ? g.x.out - o : detail::upsample_strip;
      Index source[detail::upsample_strip];
      for (Index i = 0; i < columns; ++i) source[i] = g.x.nearest(o + i);
      for (Index oy = begin; oy < end; ++oy) {
        const T* from = x.data + plane * g.in() + g.y.nearest(oy) * g.x.in;
        T* to = y.data + plane * g.out() + oy * g.x.out + o;
        for (Index i = 0; i < columns; ++i) to[i] = from[source[i]];
      }
    }
  });
}

/// Kernel: dx is the sum of dy over the pixels that repeated it.
template <class T>
void upsample_nearest_backward(Cpu, const UpsampleGeometry& g, View<const T, 4> dy, Into<T, 4> dx) {
  parallel_for(g.planes, g.size(), [&](Index plane) {
    detail::clear_unless_adding(dx, plane * g.in(), g.in());
    for (Index o = 0; o < g.x.out; o += detail::upsample_strip) {
      const Index columns =
          g.x.out - o < detail::upsample_strip ? g.x.out - o : detail::upsample_strip;
      Index source[detail::upsample_strip];
      for (Index i = 0; i < columns; ++i) source[i] = g.x.nearest(o + i);
      for (Index oy = 0; oy < g.y.out; ++oy) {
        const T* from = dy.data + plane * g.out() + oy * g.x.out + o;
        T* to = dx.data + plane * g.in() + g.y.nearest(oy) * g.x.in;
        for (Index i = 0; i < columns; ++i) to[source[i]] += from[i];
      }
    }
  });
}

/// Kernel: the mean of four neighbours, weighted by how near they are.
template <class T>
void upsample_bilinear_forward(Cpu, const UpsampleGeometry& g, View<const T, 4> x, View<T, 4> y) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::upsample_bilinear_forward(g, x, y);
  } else {
    detail::each_band(g, [&](Index plane, Index begin, Index end) {
      for (Index o = 0; o < g.x.out; o += detail::upsample_strip) {
        const detail::ColumnSources<T> h(g.x, o);
        for (Index oy = begin; oy < end; ++oy) {
          const Neighbours v = g.y.between(oy);
          const T below = static_cast<T>(v.weight), above = static_cast<T>(1 - v.weight);
          const T* top = x.data + plane * g.in() + v.first * g.x.in;
          const T* bottom = x.data + plane * g.in() + v.second * g.x.in;
          T* to = y.data + plane * g.out() + oy * g.x.out + o;
          for (Index i = 0; i < h.count; ++i)
            to[i] = above * (h.left[i] * top[h.first[i]] + h.right[i] * top[h.second[i]]) +
                    below * (h.left[i] * bottom[h.first[i]] + h.right[i] * bottom[h.second[i]]);
        }
      }
    });
  }
}

/// Kernel: every pixel receives its share of dy from the results it was averaged into.
template <class T>
void upsample_bilinear_backward(Cpu, const UpsampleGeometry& g, View<const T, 4> dy,
                                Into<T, 4> dx) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::upsample_bilinear_backward(g, dy, dx);
  } else {
    parallel_for(g.planes, 4 * g.size(), [&](Index plane) {
      detail::clear_unless_adding(dx, plane * g.in(), g.in());
      for (Index o = 0; o < g.x.out; o += detail::upsample_strip) {
        const detail::ColumnSources<T> h(g.x, o);
        for (Index oy = 0; oy < g.y.out; ++oy) {
          const Neighbours v = g.y.between(oy);
          const T below = static_cast<T>(v.weight), above = static_cast<T>(1 - v.weight);
          const T* from = dy.data + plane * g.out() + oy * g.x.out + o;
          T* top = dx.data + plane * g.in() + v.first * g.x.in;
          T* bottom = dx.data + plane * g.in() + v.second * g.x.in;
          for (Index i = 0; i < h.count; ++i) {
            top[h.first[i]] += above * h.left[i] * from[i];
            top[h.second[i]] += above * h.right[i] * from[i];
            bottom[h.first[i]] += below * h.left[i] * from[i];
            bottom[h.second[i]] += below * h.right[i] * from[i];
          }
        }
      }
    });
  }
}

}  // namespace ebb::kernel
