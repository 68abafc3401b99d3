/// \file
/// Layer normalisation on CUDA: a short row is a warp's, a long one a block's or several blocks'
/// (channel_sums.cuh).
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/kit/channel_policies.cuh>
#include <ebb/kit/plane_map.cuh>
#include <ebb/ops/normalisation/layer_norm/geometry.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

template <class T>
struct StoreDeviation {
  T *mean, *inv_std;
  Wide<T> eps;
  template <class I, class W>
  EBB_DEVICE void operator()(I r, W m, W variance) const {
    mean[r] = static_cast<T>(m);
    inv_std[r] = static_cast<T>(W(1) / std::sqrt(variance + eps));
  }
};

/// Two numbers a row: dx = inv_std d + slope (x - mean) + shift, with d = weight dy.
template <class T>
struct RowLines {
  T *slope, *shift;

  /// From the sums of d and of d (x - mean) over `count` elements.
  template <class I, class W>
  EBB_DEVICE void store(I r, W sum, W dot, W count, T inv_std) const {
    const W s = static_cast<W>(inv_std);
    slope[r] = static_cast<T>(-dot / count * s * s) * inv_std;
    shift[r] = -static_cast<T>(sum / count) * inv_std;
  }
};

/// The terms of dx: the row's sums of d and of d (x - mean).
template <class T>
struct LayerNormTerms {
  const T *mean_of, *inv_std, *weight_of;
  RowLines<T> lines;
  gpu::AnyDivisor length;

  template <class I>
  EBB_DEVICE I row(I, I r) const {
    return r;
  }
  template <class I>
  EBB_DEVICE T mean(I r) const {
    return mean_of[r];
  }
  template <class I>
  EBB_DEVICE T scale(I) const {
    return T(1);
  }
  template <class I>
  EBB_DEVICE T weight(I at) const {
    return weight_of ? weight_of[length.remainder(at)] : T(1);
  }
  template <class I, class W>
  EBB_DEVICE void finish(I r, W sum, W dot) const {
    lines.store(r, sum, dot, static_cast<W>(length.wide.by), inv_std[r]);
  }
};

/// y = (x - mean) inv_std weight + bias, weight and bias by the place in the row.
template <class T>
struct LayerNormApply {
  static constexpr bool reads_up = false;
  struct Line {
    T mean, inv_std;
  };
  const T *mean, *inv_std, *weight, *bias;

  template <class I>
  EBB_DEVICE Line line(I row) const {
    return {mean[row], inv_std[row]};
  }
  template <class I>
  EBB_DEVICE T value(const Line& l, I i, T x, T) const {
    const T y = (x - l.mean) * l.inv_std, scaled = weight ? y * weight[i] : y;
    return bias ? scaled + bias[i] : scaled;
  }
};

template <class T>
struct LayerNormBackward {
  static constexpr bool reads_up = true;
  struct Line {
    T mean, inv_std, slope, shift;
  };
  const T *mean, *inv_std, *weight;
  RowLines<T> lines;

  template <class I>
  EBB_DEVICE Line line(I row) const {
    return {mean[row], inv_std[row], lines.slope[row], lines.shift[row]};
  }
  template <class I>
  EBB_DEVICE T value(const Line& l, I i, T x, T up) const {
    const T d = weight ? up * weight[i] : up;
    return l.inv_std * d + (l.slope * (x - l.mean) + l.shift);
  }
};

/// The terms of the gradients of weight and bias, where the channels of an image are normalised in
/// `groups` groups (layer normalisation: in one).
template <class T>
struct AffineTerms {
  const T *mean_of, *inv_std;
  Into<T, 1> dweight, dbias;
  Index groups;
  gpu::AnyDivisor group_channels;

  template <class I>
  EBB_DEVICE I row(I n, I c) const {
    return n * static_cast<I>(groups) + group_channels.quotient(c);
  }
  template <class I>
  EBB_DEVICE T mean(I r) const {
    return mean_of[r];
  }
  template <class I>
  EBB_DEVICE T scale(I r) const {
    return inv_std[r];
  }
  template <class I>
  EBB_DEVICE T weight(I) const {
    return T(1);
  }
  template <class I, class W>
  EBB_DEVICE void finish(I c, W sum, W dot) const {
    if (dweight.data) dweight.put(static_cast<Index>(c), static_cast<T>(dot));
    if (dbias.data) dbias.put(static_cast<Index>(c), static_cast<T>(sum));
  }
};

}  // namespace detail

/// Kernel: mean and 1 / sqrt(variance + eps) of every row; the variance is biased.
template <class T>
void row_statistics(Cuda, Index rows, Index length, double eps, View<const T, 1> x, View<T, 1> mean,
                    View<T, 1> inv_std) {
  using Store = detail::StoreDeviation<T>;
  const Store store{mean.data, inv_std.data, static_cast<detail::Wide<T>>(eps)};
  detail::row_sums<T>(detail::MomentsOf<T, Store>{x.data, store}, rows, length,
                      gpu::packable(x.data));
}

/// Kernel: y = xhat weight + bias with xhat = (x - mean) inv_std; weight and bias may be absent.
template <class T>
void layer_norm_apply(Cuda, const LayerNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  const detail::LayerNormApply<T> f{mean.data, inv_std.data, weight.data, bias.data};
  detail::plane_map(f, g.rows, g.length, x.data, static_cast<const T*>(nullptr), y.data, false);
}

/// Kernel: dx = inv_std (d - mean(d) - xhat mean(d xhat)) with d = weight dy and means along the
/// row.
template <class T>
void layer_norm_backward(Cuda, const LayerNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         Into<T, 1> dx) {
  const CudaScratch<T> scratch(2 * g.rows);
  const detail::RowLines<T> lines{scratch.data(), scratch.data() + g.rows};
  using Terms = detail::LayerNormTerms<T>;
  const Terms terms{mean.data, inv_std.data, weight.data, lines, gpu::AnyDivisor(g.length)};
  detail::row_sums<T>(detail::DotsOf<T, Terms>{x.data, dy.data, terms}, g.rows, g.length,
                      gpu::packable(x.data, dy.data));
  detail::plane_map(detail::LayerNormBackward<T>{mean.data, inv_std.data, weight.data, lines},
                    g.rows, g.length, x.data, dy.data, dx.data, dx.add);
}

/// Kernel: dweight = sum over the rows of dy xhat, dbias = sum over the rows of dy; either may be
/// absent.
template <class T>
void layer_norm_affine_backward(Cuda, const LayerNormGeometry& g, View<const T, 1> x,
                                View<const T, 1> dy, View<const T, 1> mean,
                                View<const T, 1> inv_std, Into<T, 1> dweight, Into<T, 1> dbias) {
  using Terms = detail::AffineTerms<T>;
  const Terms terms{mean.data, inv_std.data, dweight, dbias, 1, gpu::AnyDivisor(g.length)};
  detail::column_sums(detail::DotsOf<T, Terms>{x.data, dy.data, terms}, g.rows, g.length, 1);
}

}  // namespace ebb::kernel
