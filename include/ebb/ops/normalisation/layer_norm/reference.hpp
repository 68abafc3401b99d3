/// \file
/// Layer normalisation by its definition.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/ops/normalisation/layer_norm/geometry.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::kernel::reference {

/// Mean and 1 / sqrt(variance + eps) of every row; the variance is biased.
template <class T>
void row_statistics(Index rows, Index length, double eps, View<const T, 1> x, View<T, 1> mean,
                    View<T, 1> inv_std) {
  using std::sqrt;
  const T count = static_cast<T>(length);
  for (Index r = 0; r < rows; ++r) {
    const T* row = x.data + r * length;
    T sum(0), squares(0);
    for (Index i = 0; i < length; ++i) sum += row[i];
    const T m = sum / count;
    for (Index i = 0; i < length; ++i) squares += (row[i] - m) * (row[i] - m);
    mean.data[r] = m;
    inv_std.data[r] = T(1) / sqrt(squares / count + static_cast<T>(eps));
  }
}

/// y = xhat weight + bias with xhat = (x - mean) inv_std; weight and bias may be absent.
template <class T>
void layer_norm_apply(const LayerNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  for (Index i = 0; i < g.size(); ++i) {
    const Index r = i / g.length, c = i % g.length;
    T v = (x.data[i] - mean.data[r]) * inv_std.data[r];
    if (weight.data) v *= weight.data[c];
    if (bias.data) v += bias.data[c];
    y.data[i] = v;
  }
}

/// dx = inv_std (d - mean(d) - xhat mean(d xhat)) with d = weight dy and means along the row.
template <class T>
void layer_norm_backward(const LayerNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         Into<T, 1> dx) {
  const T count = static_cast<T>(g.length);
  for (Index r = 0; r < g.rows; ++r) {
    const Index at = r * g.length;
    const auto d = [&](Index i) {
      return weight.data ? weight.data[i] * dy.data[at + i] : dy.data[at + i];
    };
    const auto xhat = [&](Index i) { return (x.data[at + i] - mean.data[r]) * inv_std.data[r]; };
    T sum(0), dot(0);
    for (Index i = 0; i < g.length; ++i) {
      sum += d(i);
      dot += d(i) * xhat(i);
    }
    for (Index i = 0; i < g.length; ++i)
      dx.put(at + i, inv_std.data[r] * (d(i) - sum / count - xhat(i) * (dot / count)));
  }
}

/// dweight = sum over the rows of dy xhat, dbias = sum over the rows of dy; either may be absent.
template <class T>
void layer_norm_affine_backward(const LayerNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                                View<const T, 1> mean, View<const T, 1> inv_std, Into<T, 1> dweight,
                                Into<T, 1> dbias) {
  for (Index c = 0; c < g.length; ++c) {
    T sum(0), dot(0);
    for (Index r = 0; r < g.rows; ++r) {
      const Index i = r * g.length + c;
      sum += dy.data[i];
      dot += dy.data[i] * ((x.data[i] - mean.data[r]) * inv_std.data[r]);
    }
    if (dweight.data) dweight.put(c, dot);
    if (dbias.data) dbias.put(c, sum);
  }
}

}  // namespace ebb::kernel::reference
