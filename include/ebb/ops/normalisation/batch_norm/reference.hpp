/// \file
/// Batch normalisation by its definition.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/ops/normalisation/batch_norm/geometry.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::kernel::reference {

namespace detail {
/// The sum of term(i) over the elements i of channel c.
template <class T, class Term>
T channel_sum(const BatchNormGeometry& g, Index c, Term&& term) {
  T sum(0);
  for (Index n = 0; n < g.batch; ++n)
    for (Index s = 0; s < g.spatial; ++s) sum += term((n * g.channels + c) * g.spatial + s);
  return sum;
}
}  // namespace detail

/// Mean and (biased) variance of every channel.
template <class T>
void batch_norm_statistics(const BatchNormGeometry& g, View<const T, 1> x, View<T, 1> mean,
                           View<T, 1> variance) {
  const T count = static_cast<T>(g.count());
  for (Index c = 0; c < g.channels; ++c) {
    const T m = detail::channel_sum<T>(g, c, [&](Index i) { return x.data[i]; }) / count;
    mean.data[c] = m;
    variance.data[c] = detail::channel_sum<T>(g, c,
                                              [&](Index i) {
                                                const T d = x.data[i] - m;
                                                return d * d;
                                              }) /
                       count;
  }
}

/// 1 / sqrt(variance + eps).
template <class T>
void inverse_deviation(View<const T, 1> variance, double eps, View<T, 1> inv_std) {
  using std::sqrt;
  for (Index c = 0; c < inv_std.size(); ++c)
    inv_std.data[c] = T(1) / sqrt(variance.data[c] + static_cast<T>(eps));
}

/// y = (x - mean) inv_std weight + bias; weight and bias may be absent.
template <class T>
void batch_norm_apply(const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  for (Index i = 0; i < g.size(); ++i) {
    const Index c = i / g.spatial % g.channels;
    T v = (x.data[i] - mean.data[c]) * inv_std.data[c];
    if (weight.data) v *= weight.data[c];
    if (bias.data) v += bias.data[c];
    y.data[i] = v;
  }
}

/// Per channel, the sums of dy and of dy xhat with xhat = (x - mean) inv_std: the gradients of bias
/// and weight.
template <class T>
void batch_norm_sums(const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                     View<const T, 1> mean, View<const T, 1> inv_std, View<T, 1> sum_dy,
                     View<T, 1> sum_dy_xhat) {
  for (Index c = 0; c < g.channels; ++c) {
    sum_dy.data[c] = detail::channel_sum<T>(g, c, [&](Index i) { return dy.data[i]; });
    sum_dy_xhat.data[c] = detail::channel_sum<T>(
        g, c, [&](Index i) { return dy.data[i] * (x.data[i] - mean.data[c]) * inv_std.data[c]; });
  }
}

/// dx = weight inv_std (dy - mean(dy) - xhat mean(dy xhat)) where the statistics are the batch's
/// own, weight inv_std dy where they are given (the sums are absent then).
template <class T>
void batch_norm_backward(const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         View<const T, 1> sum_dy, View<const T, 1> sum_dy_xhat, Into<T, 1> dx) {
  const T count = static_cast<T>(g.count());
  for (Index i = 0; i < g.size(); ++i) {
    const Index c = i / g.spatial % g.channels;
    const T scale = weight.data ? weight.data[c] * inv_std.data[c] : inv_std.data[c];
    T v = dy.data[i];
    if (sum_dy.data) {
      const T xhat = (x.data[i] - mean.data[c]) * inv_std.data[c];
      v = v - sum_dy.data[c] / count - xhat * (sum_dy_xhat.data[c] / count);
    }
    dx.put(i, scale * v);
  }
}

/// running = (1 - momentum) running + momentum value, with the unbiased variance.
template <class T>
void update_running(View<const T, 1> mean, View<const T, 1> variance, Index count, double momentum,
                    View<T, 1> running_mean, View<T, 1> running_variance) {
  const T keep = static_cast<T>(1.0 - momentum), take = static_cast<T>(momentum);
  const T unbias =
      static_cast<T>(momentum * static_cast<double>(count) / static_cast<double>(count - 1));
  for (Index c = 0; c < mean.size(); ++c) {
    running_mean.data[c] = keep * running_mean.data[c] + take * mean.data[c];
    running_variance.data[c] = keep * running_variance.data[c] + unbias * variance.data[c];
  }
}

}  // namespace ebb::kernel::reference
