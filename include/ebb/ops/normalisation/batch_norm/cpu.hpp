/// \file
/// Batch normalisation on the CPU. Statistics: each plane is summed by one task, then the planes of
/// a channel are combined in their order; (batch, channels) inputs are summed by strips of columns.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/lanes.hpp>
#include <ebb/ops/normalisation/batch_norm/reference.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Calls f(plane, channel) for every plane, neighbours in one task where planes are small.
template <class F>
void each_plane(const BatchNormGeometry& g, Index cost, F&& f) {
  const Index planes = g.planes();
  const Index together = g.spatial < chunk ? chunk / g.spatial : 1;
  vector_for(divide_up(planes, together), g.size() * cost, [&](Index task) {
    const Index end = (task + 1) * together < planes ? (task + 1) * together : planes;
    Index c = task * together % g.channels;
    for (Index plane = task * together; plane < end; ++plane) {
      f(plane, c);
      if (++c == g.channels) c = 0;
    }
  });
}

/// Columns that one task sums side by side.
inline constexpr Index column_strip = 64;

/// Calls f(first, count) for strips of columns of a (rows, columns) input.
template <class F>
void each_column_strip(Index rows, Index columns, F&& f) {
  vector_for(divide_up(columns, column_strip), rows * columns, [&](Index task) {
    const Index first = task * column_strip;
    f(first, columns - first < column_strip ? columns - first : column_strip);
  });
}

}  // namespace detail

/// Kernel: mean and (biased) variance of every channel. `scratch` is as the geometry asks.
/// Equal parts combine exactly: M2 = sum of M2_p + spatial (mean_p - mean)^2 (Chan, Golub &
/// LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983).
template <class T>
void batch_norm_statistics(Cpu, const BatchNormGeometry& g, View<const T, 1> x,
                           View<detail::Wide<T>, 2> scratch, View<T, 1> mean, View<T, 1> variance) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::batch_norm_statistics(g, x, mean, variance);
  } else {
    using W = detail::Wide<T>;
    if (g.spatial == 1) {
      const W count = static_cast<W>(g.batch);
      detail::each_column_strip(g.batch, g.channels, [&](Index first, Index columns) {
        W m[detail::column_strip] = {}, squares[detail::column_strip] = {};
        for (Index n = 0; n < g.batch; ++n) {
          const T* row = x.data + n * g.channels + first;
          EBB_SIMD
          for (Index c = 0; c < columns; ++c) m[c] += static_cast<W>(row[c]);
        }
        for (Index c = 0; c < columns; ++c) m[c] /= count;
        for (Index n = 0; n < g.batch; ++n) {
          const T* row = x.data + n * g.channels + first;
          EBB_SIMD
          for (Index c = 0; c < columns; ++c) {
            const W d = static_cast<W>(row[c]) - m[c];
            squares[c] += d * d;
          }
        }
        for (Index c = 0; c < columns; ++c) {
          mean.data[first + c] = static_cast<T>(m[c]);
          variance.data[first + c] = static_cast<T>(squares[c] / count);
        }
      });
      return;
    }
    W* const means = scratch.data;
    W* const squares = scratch.data + g.planes();
    detail::each_plane(g, 2, [&](Index plane, Index) {
      const auto m = detail::Moments<W>::of(x.data + plane * g.spatial, g.spatial);
      means[plane] = m.mean;
      squares[plane] = m.squares;
    });
    vector_for(g.channels, 4 * g.planes(), [&](Index c) {
      W sum = 0;
      for (Index n = 0; n < g.batch; ++n) sum += means[n * g.channels + c];
      const W m = sum / static_cast<W>(g.batch);
      W m2 = 0;
      for (Index n = 0; n < g.batch; ++n) {
        const W d = means[n * g.channels + c] - m;
        m2 += squares[n * g.channels + c] + static_cast<W>(g.spatial) * d * d;
      }
      mean.data[c] = static_cast<T>(m);
      variance.data[c] = static_cast<T>(m2 / static_cast<W>(g.count()));
    });
  }
}

/// Kernel: 1 / sqrt(variance + eps).
template <class T>
void inverse_deviation(Cpu, View<const T, 1> variance, double eps, View<T, 1> inv_std) {
  reference::inverse_deviation(variance, eps, inv_std);
}

/// Kernel: running = (1 - momentum) running + momentum value, with the unbiased variance.
template <class T>
void update_running(Cpu, View<const T, 1> mean, View<const T, 1> variance, Index count,
                    double momentum, View<T, 1> running_mean, View<T, 1> running_variance) {
  reference::update_running(mean, variance, count, momentum, running_mean, running_variance);
}

/// Kernel: y = (x - mean) inv_std weight + bias; weight and bias may be absent.
template <class T>
void batch_norm_apply(Cpu, const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::batch_norm_apply(g, x, mean, inv_std, weight, bias, y);
  } else if (g.spatial == 1) {
    detail::each_column_strip(g.batch, g.channels, [&](Index first, Index columns) {
      T m[detail::column_strip], scale[detail::column_strip], shift[detail::column_strip];
      for (Index c = 0; c < columns; ++c) {
        m[c] = mean.data[first + c];
        scale[c] = inv_std.data[first + c] * (weight.data ? weight.data[first + c] : T(1));
        shift[c] = bias.data ? bias.data[first + c] : T(0);
      }
      for (Index n = 0; n < g.batch; ++n) {
        const T* from = x.data + n * g.channels + first;
        T* to = y.data + n * g.channels + first;
        EBB_SIMD
        for (Index c = 0; c < columns; ++c) to[c] = (from[c] - m[c]) * scale[c] + shift[c];
      }
    });
  } else {
    detail::each_plane(g, 1, [&](Index plane, Index c) {
      const T m = mean.data[c], scale = inv_std.data[c] * (weight.data ? weight.data[c] : T(1));
      const T shift = bias.data ? bias.data[c] : T(0);
      const T* from = x.data + plane * g.spatial;
      T* to = y.data + plane * g.spatial;
      EBB_SIMD
      for (Index i = 0; i < g.spatial; ++i) to[i] = (from[i] - m) * scale + shift;
    });
  }
}

/// Kernel: per channel, the sums of dy and of dy xhat with xhat = (x - mean) inv_std.
template <class T>
void batch_norm_sums(Cpu, const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                     View<const T, 1> mean, View<const T, 1> inv_std,
                     View<detail::Wide<T>, 2> scratch, View<T, 1> sum_dy, View<T, 1> sum_dy_xhat) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::batch_norm_sums(g, x, dy, mean, inv_std, sum_dy, sum_dy_xhat);
  } else {
    using W = detail::Wide<T>;
    if (g.spatial == 1) {
      detail::each_column_strip(g.batch, g.channels, [&](Index first, Index columns) {
        W sum[detail::column_strip] = {}, dot[detail::column_strip] = {};
        T m[detail::column_strip];
        for (Index c = 0; c < columns; ++c) m[c] = mean.data[first + c];
        for (Index n = 0; n < g.batch; ++n) {
          const T* a = x.data + n * g.channels + first;
          const T* b = dy.data + n * g.channels + first;
          EBB_SIMD
          for (Index c = 0; c < columns; ++c) {
            sum[c] += static_cast<W>(b[c]);
            dot[c] += static_cast<W>(b[c]) * static_cast<W>(a[c] - m[c]);
          }
        }
        for (Index c = 0; c < columns; ++c) {
          sum_dy.data[first + c] = static_cast<T>(sum[c]);
          sum_dy_xhat.data[first + c] =
              static_cast<T>(dot[c] * static_cast<W>(inv_std.data[first + c]));
        }
      });
      return;
    }
    W* const sums = scratch.data;
    W* const dots = scratch.data + g.planes();
    detail::each_plane(g, 2, [&](Index plane, Index c) {
      const T* a = x.data + plane * g.spatial;
      const T* b = dy.data + plane * g.spatial;
      const T m = mean.data[c];
      W sum = 0, dot = 0;
      for (Index i = 0; i < g.spatial; i += detail::in_cache) {
        const Index n = g.spatial - i < detail::in_cache ? g.spatial - i : detail::in_cache;
        const auto piece = detail::lane_sums<W>(
            n, [b, i](Index k) { return b[i + k]; }, [a, m, i](Index k) { return a[i + k] - m; });
        sum += piece.sum;
        dot += piece.dot;
      }
      sums[plane] = sum;
      dots[plane] = dot;
    });
    vector_for(g.channels, 2 * g.planes(), [&](Index c) {
      W sum = 0, dot = 0;
      for (Index n = 0; n < g.batch; ++n) {
        sum += sums[n * g.channels + c];
        dot += dots[n * g.channels + c];
      }
      sum_dy.data[c] = static_cast<T>(sum);
      sum_dy_xhat.data[c] = static_cast<T>(dot * static_cast<W>(inv_std.data[c]));
    });
  }
}

/// Kernel: dx = weight inv_std (dy - mean(dy) - xhat mean(dy xhat)) where the statistics are the
/// batch's own, weight inv_std dy where they are given (the sums are absent then).
template <class T>
void batch_norm_backward(Cpu, const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         View<const T, 1> sum_dy, View<const T, 1> sum_dy_xhat, Into<T, 1> dx) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::batch_norm_backward(g, x, dy, mean, inv_std, weight, sum_dy, sum_dy_xhat, dx);
  } else {
    // dx = a dy + b (x - mean) + d, with a, b and d of the channel
    struct Line {
      T mean, a, b, d;
    };
    const T count = static_cast<T>(g.count());
    const auto line = [&](Index c) {
      const T a = inv_std.data[c] * (weight.data ? weight.data[c] : T(1));
      if (!sum_dy.data) return Line{T(0), a, T(0), T(0)};
      return Line{mean.data[c], a, -a * inv_std.data[c] * (sum_dy_xhat.data[c] / count),
                  -a * (sum_dy.data[c] / count)};
    };
    if (g.spatial == 1) {
      detail::each_column_strip(g.batch, g.channels, [&](Index first, Index columns) {
        T m[detail::column_strip], a[detail::column_strip], b[detail::column_strip],
            d[detail::column_strip];
        for (Index c = 0; c < columns; ++c) {
          const Line l = line(first + c);
          m[c] = l.mean, a[c] = l.a, b[c] = l.b, d[c] = l.d;
        }
        for (Index n = 0; n < g.batch; ++n) {
          const Index at = n * g.channels + first;
          const T *from = x.data + at, *up = dy.data + at;
          T* const to = dx.data + at;
          if (dx.add) {
            EBB_SIMD
            for (Index c = 0; c < columns; ++c)
              to[c] += a[c] * up[c] + (b[c] * (from[c] - m[c]) + d[c]);
          } else {
            EBB_SIMD
            for (Index c = 0; c < columns; ++c)
              to[c] = a[c] * up[c] + (b[c] * (from[c] - m[c]) + d[c]);
          }
        }
      });
      return;
    }
    detail::each_plane(g, 1, [&](Index plane, Index c) {
      const Line l = line(c);
      const T m = l.mean, a = l.a, b = l.b, d = l.d;
      const T* from = x.data + plane * g.spatial;
      const T* up = dy.data + plane * g.spatial;
      T* to = dx.data + plane * g.spatial;
      if (dx.add) {
        EBB_SIMD
        for (Index i = 0; i < g.spatial; ++i) to[i] += a * up[i] + (b * (from[i] - m) + d);
      } else {
        EBB_SIMD
        for (Index i = 0; i < g.spatial; ++i) to[i] = a * up[i] + (b * (from[i] - m) + d);
      }
    });
  }
}

#define EBB_BATCH_NORM(T)                                                                       \
  EBB_COMPILED(void batch_norm_statistics<T>(Cpu, const BatchNormGeometry&, View<const T, 1>,   \
                                             View<detail::Wide<T>, 2>, View<T, 1>, View<T, 1>)) \
  EBB_COMPILED(void batch_norm_apply<T>(Cpu, const BatchNormGeometry&, View<const T, 1>,        \
                                        View<const T, 1>, View<const T, 1>, View<const T, 1>,   \
                                        View<const T, 1>, View<T, 1>))                          \
  EBB_COMPILED(void batch_norm_sums<T>(Cpu, const BatchNormGeometry&, View<const T, 1>,         \
                                       View<const T, 1>, View<const T, 1>, View<const T, 1>,    \
                                       View<detail::Wide<T>, 2>, View<T, 1>, View<T, 1>))       \
  EBB_COMPILED(void batch_norm_backward<T>(                                                     \
      Cpu, const BatchNormGeometry&, View<const T, 1>, View<const T, 1>, View<const T, 1>,      \
      View<const T, 1>, View<const T, 1>, View<const T, 1>, View<const T, 1>, Into<T, 1>))
EBB_BATCH_NORM(float)
EBB_BATCH_NORM(double)
#undef EBB_BATCH_NORM

}  // namespace ebb::kernel
