/// \file
/// Group normalisation on CUDA. The statistics of a group are those of a row
/// (layer_norm/cuda.cuh).
#pragma once

#include <ebb/ops/normalisation/group_norm/geometry.hpp>
#include <ebb/ops/normalisation/layer_norm/cuda.cuh>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Which channel and which group a plane belongs to.
struct GroupedPlanes {
  gpu::AnyDivisor channels, group_channels;

  explicit GroupedPlanes(const GroupNormGeometry& g)
      : channels(g.channels), group_channels(g.group_channels()) {}
  template <class I>
  EBB_DEVICE I channel(I plane) const {
    return channels.remainder(plane);
  }
  template <class I>
  EBB_DEVICE I group(I plane) const {
    return group_channels.quotient(plane);
  }
};

template <class T>
struct GroupNormTerms : LayerNormTerms<T> {
  GroupedPlanes planes;
  gpu::AnyDivisor spatial;

  template <class I>
  EBB_DEVICE T weight(I at) const {
    return this->weight_of ? this->weight_of[planes.channel(spatial.quotient(at))] : T(1);
  }
};

template <class T>
struct GroupNormApply {
  static constexpr bool reads_up = false;
  struct Line {
    T mean, scale, shift;
  };
  const T *mean, *inv_std, *weight, *bias;
  GroupedPlanes planes;

  template <class I>
  EBB_DEVICE Line line(I plane) const {
    const I c = planes.channel(plane), r = planes.group(plane);
    return {mean[r], inv_std[r] * (weight ? weight[c] : T(1)), bias ? bias[c] : T(0)};
  }
  template <class I>
  EBB_DEVICE T value(const Line& l, I, T x, T) const {
    return (x - l.mean) * l.scale + l.shift;
  }
};

template <class T>
struct GroupNormBackward {
  static constexpr bool reads_up = true;
  struct Line {
    T mean, scale, slope, shift;
  };
  const T *mean, *inv_std, *weight;
  RowLines<T> lines;
  GroupedPlanes planes;

  template <class I>
  EBB_DEVICE Line line(I plane) const {
    const I c = planes.channel(plane), r = planes.group(plane);
    return {mean[r], inv_std[r] * (weight ? weight[c] : T(1)), lines.slope[r], lines.shift[r]};
  }
  template <class I>
  EBB_DEVICE T value(const Line& l, I, T x, T up) const {
    return l.scale * up + (l.slope * (x - l.mean) + l.shift);
  }
};

}  // namespace detail

/// Kernel: y = xhat weight + bias with xhat = (x - mean) inv_std; the statistics are the group's,
/// weight and bias (which may be absent) the channel's.
template <class T>
void group_norm_apply(Cuda, const GroupNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  const detail::GroupNormApply<T> f{mean.data, inv_std.data, weight.data, bias.data,
                                    detail::GroupedPlanes(g)};
  detail::plane_map(f, g.batch * g.channels, g.spatial, x.data, static_cast<const T*>(nullptr),
                    y.data, false);
}

/// Kernel: dx = inv_std (d - mean(d) - xhat mean(d xhat)) with d = weight dy and means over the
/// group.
template <class T>
void group_norm_backward(Cuda, const GroupNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         Into<T, 1> dx) {
  const CudaScratch<T> scratch(2 * g.rows());
  const detail::RowLines<T> lines{scratch.data(), scratch.data() + g.rows()};
  const detail::GroupedPlanes planes(g);
  using Terms = detail::GroupNormTerms<T>;
  const Terms terms{{mean.data, inv_std.data, weight.data, lines, gpu::AnyDivisor(g.group_size())},
                    planes,
                    gpu::AnyDivisor(g.spatial)};
  detail::row_sums<T>(detail::DotsOf<T, Terms>{x.data, dy.data, terms}, g.rows(), g.group_size(),
                      gpu::packable(x.data, dy.data));
  detail::plane_map(
      detail::GroupNormBackward<T>{mean.data, inv_std.data, weight.data, lines, planes},
      g.batch * g.channels, g.spatial, x.data, dy.data, dx.data, dx.add);
}

/// Kernel: dweight = sum of dy xhat, dbias = sum of dy, over each channel; either may be absent.
template <class T>
void group_norm_affine_backward(Cuda, const GroupNormGeometry& g, View<const T, 1> x,
                                View<const T, 1> dy, View<const T, 1> mean,
                                View<const T, 1> inv_std, Into<T, 1> dweight, Into<T, 1> dbias) {
  using Terms = detail::AffineTerms<T>;
  const Terms terms{mean.data, inv_std.data, dweight,
                    dbias,     g.groups,     gpu::AnyDivisor(g.group_channels())};
  detail::channel_sums<T>(detail::DotsOf<T, Terms>{x.data, dy.data, terms}, g.batch, g.channels,
                          g.spatial, gpu::packable(x.data, dy.data));
}

}  // namespace ebb::kernel
