/// \file
/// Group normalisation by its definition.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/ops/normalisation/group_norm/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::reference {

/// y = xhat weight + bias with xhat = (x - mean) inv_std; the statistics are the group's, weight
/// and bias (which may be absent) the channel's.
template <class T>
void group_norm_apply(const GroupNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  for (Index i = 0; i < g.size(); ++i) {
    const Index r = i / g.group_size(), c = i / g.spatial % g.channels;
    T v = (x.data[i] - mean.data[r]) * inv_std.data[r];
    if (weight.data) v *= weight.data[c];
    if (bias.data) v += bias.data[c];
    y.data[i] = v;
  }
}

/// dx = inv_std (d - mean(d) - xhat mean(d xhat)) with d = weight dy and means over the group.
template <class T>
void group_norm_backward(const GroupNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         Into<T, 1> dx) {
  const T count = static_cast<T>(g.group_size());
  for (Index r = 0; r < g.rows(); ++r) {
    const Index begin = r * g.group_size(), end = begin + g.group_size();
    const auto d = [&](Index i) {
      return weight.data ? weight.data[i / g.spatial % g.channels] * dy.data[i] : dy.data[i];
    };
    const auto xhat = [&](Index i) { return (x.data[i] - mean.data[r]) * inv_std.data[r]; };
    T sum(0), dot(0);
    for (Index i = begin; i < end; ++i) {
      sum += d(i);
      dot += d(i) * xhat(i);
    }
    for (Index i = begin; i < end; ++i)
      dx.put(i, inv_std.data[r] * (d(i) - sum / count - xhat(i) * (dot / count)));
  }
}

/// dweight = sum of dy xhat, dbias = sum of dy, over each channel; either may be absent.
template <class T>
void group_norm_affine_backward(const GroupNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                                View<const T, 1> mean, View<const T, 1> inv_std, Into<T, 1> dweight,
                                Into<T, 1> dbias) {
  for (Index c = 0; c < g.channels; ++c) {
    T sum(0), dot(0);
    for (Index n = 0; n < g.batch; ++n)
      for (Index s = 0; s < g.spatial; ++s) {
        const Index i = (n * g.channels + c) * g.spatial + s, r = i / g.group_size();
        sum += dy.data[i];
        dot += dy.data[i] * ((x.data[i] - mean.data[r]) * inv_std.data[r]);
      }
    if (dweight.data) dweight.put(c, dot);
    if (dbias.data) dbias.put(c, sum);
  }
}

}  // namespace ebb::kernel::reference
