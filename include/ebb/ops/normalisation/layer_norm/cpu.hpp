/// \file
/// Layer normalisation on the CPU: a row is one task's, and the gradients of weight and bias are
/// summed by bands of rows and strips of columns.
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/cpu/scratch.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/lanes.hpp>
#include <ebb/ops/normalisation/layer_norm/reference.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {
/// Calls f(row) for every row, neighbours in one task where rows are short.
template <class F>
void each_row(Index rows, Index length, Index cost, F&& f) {
  const Index together = length < chunk ? chunk / length : 1;
  vector_for(divide_up(rows, together), rows * length * cost, [&](Index task) {
    const Index end = (task + 1) * together < rows ? (task + 1) * together : rows;
    for (Index row = task * together; row < end; ++row) f(row);
  });
}
}  // namespace detail

/// Kernel: mean and 1 / sqrt(variance + eps) of every row; the variance is biased.
template <class T>
void row_statistics(Cpu, Index rows, Index length, double eps, View<const T, 1> x, View<T, 1> mean,
                    View<T, 1> inv_std) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::row_statistics(rows, length, eps, x, mean, inv_std);
  } else {
    using W = detail::Wide<T>;
    detail::each_row(rows, length, 2, [&](Index r) {
      const auto m = detail::Moments<W>::of(x.data + r * length, length);
      mean.data[r] = static_cast<T>(m.mean);
      inv_std.data[r] = static_cast<T>(
          W(1) / std::sqrt(m.squares / static_cast<W>(length) + static_cast<W>(eps)));
    });
  }
}

/// Kernel: y = xhat weight + bias with xhat = (x - mean) inv_std; weight and bias may be absent.
template <class T>
void layer_norm_apply(Cpu, const LayerNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::layer_norm_apply(g, x, mean, inv_std, weight, bias, y);
  } else {
    detail::each_row(g.rows, g.length, 1, [&](Index r) {
      const T m = mean.data[r], s = inv_std.data[r];
      const T* from = x.data + r * g.length;
      T* to = y.data + r * g.length;
      const T *w = weight.data, *b = bias.data;
      const auto each = [to, n = g.length](auto value) {
        EBB_SIMD
        for (Index i = 0; i < n; ++i) to[i] = value(i);
      };
      if (w && b)
        each([=](Index i) { return (from[i] - m) * s * w[i] + b[i]; });
      else if (w)
        each([=](Index i) { return (from[i] - m) * s * w[i]; });
      else if (b)
        each([=](Index i) { return (from[i] - m) * s + b[i]; });
      else
        each([=](Index i) { return (from[i] - m) * s; });
    });
  }
}

/// Kernel: dx = inv_std (d - mean(d) - xhat mean(d xhat)) with d = weight dy and means along the
/// row.
template <class T>
void layer_norm_backward(Cpu, const LayerNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         Into<T, 1> dx) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::layer_norm_backward(g, x, dy, mean, inv_std, weight, dx);
  } else {
    using W = detail::Wide<T>;
    const auto row = [&](Index r, auto d) {
      const T m = mean.data[r], s = inv_std.data[r];
      const T* from = x.data + r * g.length;
      const W count = static_cast<W>(g.length);
      const auto sums =
          detail::lane_sums<W>(g.length, d, [from, m](Index i) { return from[i] - m; });
      // dx = s d + b (x - m) + c
      const T b = static_cast<T>(-sums.dot / count * static_cast<W>(s) * static_cast<W>(s)) * s;
      const T c = -static_cast<T>(sums.sum / count) * s;
      T* to = dx.data + r * g.length;
      if (dx.add) {
        EBB_SIMD
        for (Index i = 0; i < g.length; ++i) to[i] += s * d(i) + (b * (from[i] - m) + c);
      } else {
        EBB_SIMD
        for (Index i = 0; i < g.length; ++i) to[i] = s * d(i) + (b * (from[i] - m) + c);
      }
    };
    detail::each_row(g.rows, g.length, 3, [&](Index r) {
      const T* up = dy.data + r * g.length;
      const T* w = weight.data;
      if (w)
        row(r, [up, w](Index i) { return up[i] * w[i]; });
      else
        row(r, [up](Index i) { return up[i]; });
    });
  }
}

/// Kernel: dweight = sum over the rows of dy xhat, dbias = sum over the rows of dy; either may be
/// absent.
template <class T>
void layer_norm_affine_backward(Cpu, const LayerNormGeometry& g, View<const T, 1> x,
                                View<const T, 1> dy, View<const T, 1> mean,
                                View<const T, 1> inv_std, Into<T, 1> dweight, Into<T, 1> dbias) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::layer_norm_affine_backward(g, x, dy, mean, inv_std, dweight, dbias);
  } else {
    // Bands of rows and strips of columns are summed apart; then bands are added in their order.
    using W = detail::Wide<T>;
    constexpr Index strip = 512;
    const Index strips = divide_up(g.length, strip);
    const Index wanted = 4 * chunk / (g.length < strip ? g.length : strip);
    const Index band = wanted < g.rows ? wanted : g.rows, bands = divide_up(g.rows, band);
    Scratch<W> scratch(2 * bands * g.length);
    W* const sums = scratch.data();
    W* const dots = sums + bands * g.length;
    vector_for(bands * strips, 2 * g.size(), [&](Index task) {
      const Index first = task % strips * strip, begin = task / strips * band;
      const Index columns = g.length - first < strip ? g.length - first : strip;
      const Index end = begin + band < g.rows ? begin + band : g.rows;
      W sum[strip], dot[strip];
      for (Index c = 0; c < columns; ++c) sum[c] = dot[c] = W(0);
      for (Index r = begin; r < end; ++r) {
        const T m = mean.data[r], s = inv_std.data[r];
        const T* from = x.data + r * g.length + first;
        const T* up = dy.data + r * g.length + first;
        EBB_SIMD
        for (Index c = 0; c < columns; ++c) {
          sum[c] += static_cast<W>(up[c]);
          dot[c] += static_cast<W>(up[c] * ((from[c] - m) * s));
        }
      }
      const Index at = task / strips * g.length + first;
      for (Index c = 0; c < columns; ++c) {
        sums[at + c] = sum[c];
        dots[at + c] = dot[c];
      }
    });
    for (Index c = 0; c < g.length; ++c) {
      W sum = 0, dot = 0;
      for (Index k = 0; k < bands; ++k) {
        sum += sums[k * g.length + c];
        dot += dots[k * g.length + c];
      }
      if (dweight.data) dweight.put(c, static_cast<T>(dot));
      if (dbias.data) dbias.put(c, static_cast<T>(sum));
    }
  }
}

}  // namespace ebb::kernel
