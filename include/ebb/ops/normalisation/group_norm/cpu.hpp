/// \file
/// Group normalisation on the CPU: a group of one sample is one task's. Its statistics are those of
/// a row (layer_norm/cpu.hpp).
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/lanes.hpp>
#include <ebb/ops/normalisation/group_norm/reference.hpp>
#include <ebb/ops/normalisation/layer_norm/cpu.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: y = xhat weight + bias with xhat = (x - mean) inv_std; the statistics are the group's,
/// weight and bias (which may be absent) the channel's.
template <class T>
void group_norm_apply(Cpu, const GroupNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::group_norm_apply(g, x, mean, inv_std, weight, bias, y);
  } else {
    detail::each_row(g.rows(), g.group_size(), 1, [&](Index r) {
      const T m = mean.data[r], s = inv_std.data[r];
      const Index first = r % g.groups * g.group_channels();
      for (Index k = 0; k < g.group_channels(); ++k) {
        const T scale = weight.data ? s * weight.data[first + k] : s;
        const T shift = bias.data ? bias.data[first + k] : T(0);
        const Index at = r * g.group_size() + k * g.spatial;
        const T* const from = x.data + at;
        T* const to = y.data + at;
        EBB_SIMD
        for (Index i = 0; i < g.spatial; ++i) to[i] = (from[i] - m) * scale + shift;
      }
    });
  }
}

/// Kernel: dx = inv_std (d - mean(d) - xhat mean(d xhat)) with d = weight dy and means over the
/// group.
template <class T>
void group_norm_backward(Cpu, const GroupNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         Into<T, 1> dx) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::group_norm_backward(g, x, dy, mean, inv_std, weight, dx);
  } else {
    using W = detail::Wide<T>;
    detail::each_row(g.rows(), g.group_size(), 3, [&](Index r) {
      const T m = mean.data[r], s = inv_std.data[r];
      const Index first = r % g.groups * g.group_channels();
      W sum = 0, dot = 0;
      for (Index k = 0; k < g.group_channels(); ++k) {
        const W w = weight.data ? static_cast<W>(weight.data[first + k]) : W(1);
        const T* up = dy.data + r * g.group_size() + k * g.spatial;
        const T* from = x.data + r * g.group_size() + k * g.spatial;
        const auto sums = detail::lane_sums<W>(
            g.spatial, [up](Index i) { return up[i]; }, [from, m](Index i) { return from[i] - m; });
        sum += w * sums.sum;
        dot += w * sums.dot;
      }
      // dx = a dy + b (x - m) + c, with a of the channel, b and c of the group
      const W count = static_cast<W>(g.group_size());
      const T b = static_cast<T>(-dot / count * static_cast<W>(s) * static_cast<W>(s)) * s;
      const T c = -static_cast<T>(sum / count) * s;
      for (Index k = 0; k < g.group_channels(); ++k) {
        const T a = weight.data ? s * weight.data[first + k] : s;
        const Index at = r * g.group_size() + k * g.spatial;
        const T *const from = x.data + at, *const up = dy.data + at;
        T* const to = dx.data + at;
        if (dx.add) {
          EBB_SIMD
          for (Index i = 0; i < g.spatial; ++i) to[i] += a * up[i] + (b * (from[i] - m) + c);
        } else {
          EBB_SIMD
          for (Index i = 0; i < g.spatial; ++i) to[i] = a * up[i] + (b * (from[i] - m) + c);
        }
      }
    });
  }
}

/// Kernel: dweight = sum of dy xhat, dbias = sum of dy, over each channel; either may be absent.
template <class T>
void group_norm_affine_backward(Cpu, const GroupNormGeometry& g, View<const T, 1> x,
                                View<const T, 1> dy, View<const T, 1> mean,
                                View<const T, 1> inv_std, Into<T, 1> dweight, Into<T, 1> dbias) {
  if constexpr (!std::is_floating_point_v<T>) {
    reference::group_norm_affine_backward(g, x, dy, mean, inv_std, dweight, dbias);
  } else {
    using W = detail::Wide<T>;
    vector_for(g.channels, 2 * g.size(), [&](Index c) {
      W sum = 0, dot = 0;
      for (Index n = 0; n < g.batch; ++n) {
        const Index at = (n * g.channels + c) * g.spatial, r = at / g.group_size();
        const T m = mean.data[r];
        const T *from = x.data + at, *up = dy.data + at;
        const auto sums = detail::lane_sums<W>(
            g.spatial, [up](Index i) { return up[i]; }, [from, m](Index i) { return from[i] - m; });
        sum += sums.sum;
        dot += static_cast<W>(inv_std.data[r]) * sums.dot;
      }
      if (dweight.data) dweight.put(c, static_cast<T>(dot));
      if (dbias.data) dbias.put(c, static_cast<T>(sum));
    });
  }
}

}  // namespace ebb::kernel
