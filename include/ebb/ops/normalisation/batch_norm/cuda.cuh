/// \file
/// Batch normalisation on CUDA. A channel's sums are taken by several blocks and joined by a warp
/// (channel_sums.cuh); these kernels bring their own scratch memory.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/kit/channel_policies.cuh>
#include <ebb/kit/plane_map.cuh>
#include <ebb/ops/normalisation/batch_norm/geometry.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

template <class T>
struct StoreMoments {
  T *mean, *variance;
  template <class I, class W>
  EBB_DEVICE void operator()(I c, W m, W v) const {
    mean[c] = static_cast<T>(m);
    variance[c] = static_cast<T>(v);
  }
};

/// The terms of the gradients of bias and weight.
template <class T>
struct BatchNormTerms {
  const T *mean_of, *inv_std;
  T *sum_dy, *sum_dy_xhat;

  template <class I>
  EBB_DEVICE I row(I, I c) const {
    return c;
  }
  template <class I>
  EBB_DEVICE T mean(I c) const {
    return mean_of[c];
  }
  template <class I>
  EBB_DEVICE T scale(I) const {
    return T(1);
  }
  template <class I>
  EBB_DEVICE T weight(I) const {
    return T(1);
  }
  template <class I, class W>
  EBB_DEVICE void finish(I c, W sum, W dot) const {
    sum_dy[c] = static_cast<T>(sum);
    sum_dy_xhat[c] = static_cast<T>(dot * static_cast<W>(inv_std[c]));
  }
};

/// y = (x - mean) inv_std weight + bias.
template <class T>
struct BatchNormApply {
  static constexpr bool reads_up = false;
  struct Line {
    T mean, scale, shift;
  };
  const T *mean, *inv_std, *weight, *bias;
  gpu::AnyDivisor channels;

  template <class I>
  EBB_DEVICE Line line(I plane) const {
    const I c = channels.remainder(plane);
    return {mean[c], inv_std[c] * (weight ? weight[c] : T(1)), bias ? bias[c] : T(0)};
  }
  template <class I>
  EBB_DEVICE T value(const Line& l, I, T x, T) const {
    return (x - l.mean) * l.scale + l.shift;
  }
};

/// dx = a dy + b (x - mean) + d, with a, b and d of the channel.
template <class T>
struct BatchNormBackward {
  static constexpr bool reads_up = true;
  struct Line {
    T mean, a, b, d;
  };
  const T *mean, *inv_std, *weight, *sum_dy, *sum_dy_xhat;
  T count;
  gpu::AnyDivisor channels;

  template <class I>
  EBB_DEVICE Line line(I plane) const {
    const I c = channels.remainder(plane);
    const T a = inv_std[c] * (weight ? weight[c] : T(1));
    return {mean[c], a, -a * inv_std[c] * (sum_dy_xhat[c] / count), -a * (sum_dy[c] / count)};
  }
  template <class I>
  EBB_DEVICE T value(const Line& l, I, T x, T up) const {
    return l.a * up + (l.b * (x - l.mean) + l.d);
  }
};

/// dx = weight inv_std dy, where the statistics are given.
template <class T>
struct BatchNormScale {
  static constexpr bool reads_up = false;
  const T *inv_std, *weight;
  gpu::AnyDivisor channels;

  template <class I>
  EBB_DEVICE T line(I plane) const {
    const I c = channels.remainder(plane);
    return inv_std[c] * (weight ? weight[c] : T(1));
  }
  template <class I>
  EBB_DEVICE T value(T scale, I, T up, T) const {
    return scale * up;
  }
};

template <class T>
EBB_KERNEL inverse_deviation_kernel(Index n, const T* variance, T eps, T* inv_std) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads())
    inv_std[i] = T(1) / std::sqrt(variance[i] + eps);
}

template <class T>
EBB_KERNEL update_running_kernel(Index n, const T* mean, const T* variance, T keep, T take,
                                 T unbias, T* running_mean, T* running_variance) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) {
    running_mean[i] = keep * running_mean[i] + take * mean[i];
    running_variance[i] = keep * running_variance[i] + unbias * variance[i];
  }
}

}  // namespace detail

/// Kernel: mean and (biased) variance of every channel.
template <class T>
void batch_norm_statistics(Cuda, const BatchNormGeometry& g, View<const T, 1> x,
                           View<detail::Wide<T>, 2>, View<T, 1> mean, View<T, 1> variance) {
  using Store = detail::StoreMoments<T>;
  detail::channel_sums<T>(detail::MomentsOf<T, Store>{x.data, Store{mean.data, variance.data}},
                          g.batch, g.channels, g.spatial, gpu::packable(x.data));
}

/// Kernel: 1 / sqrt(variance + eps).
template <class T>
void inverse_deviation(Cuda, View<const T, 1> variance, double eps, View<T, 1> inv_std) {
  if (const Index n = inv_std.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::inverse_deviation_kernel<T>, n,
                variance.data, static_cast<T>(eps), inv_std.data);
}

/// Kernel: running = (1 - momentum) running + momentum value, with the unbiased variance.
template <class T>
void update_running(Cuda, View<const T, 1> mean, View<const T, 1> variance, Index count,
                    double momentum, View<T, 1> running_mean, View<T, 1> running_variance) {
  const double unbias = momentum * static_cast<double>(count) / static_cast<double>(count - 1);
  if (const Index n = mean.size(); n > 0)
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::update_running_kernel<T>, n,
                mean.data, variance.data, static_cast<T>(1.0 - momentum), static_cast<T>(momentum),
                static_cast<T>(unbias), running_mean.data, running_variance.data);
}

/// Kernel: y = (x - mean) inv_std weight + bias; weight and bias may be absent.
template <class T>
void batch_norm_apply(Cuda, const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> mean,
                      View<const T, 1> inv_std, View<const T, 1> weight, View<const T, 1> bias,
                      View<T, 1> y) {
  const detail::BatchNormApply<T> f{mean.data, inv_std.data, weight.data, bias.data,
                                    gpu::AnyDivisor(g.channels)};
  detail::plane_map(f, g.planes(), g.spatial, x.data, static_cast<const T*>(nullptr), y.data,
                    false);
}

/// Kernel: per channel, the sums of dy and of dy xhat with xhat = (x - mean) inv_std.
template <class T>
void batch_norm_sums(Cuda, const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                     View<const T, 1> mean, View<const T, 1> inv_std, View<detail::Wide<T>, 2>,
                     View<T, 1> sum_dy, View<T, 1> sum_dy_xhat) {
  using Terms = detail::BatchNormTerms<T>;
  const Terms terms{mean.data, inv_std.data, sum_dy.data, sum_dy_xhat.data};
  detail::channel_sums<T>(detail::DotsOf<T, Terms>{x.data, dy.data, terms}, g.batch, g.channels,
                          g.spatial, gpu::packable(x.data, dy.data));
}

/// Kernel: dx = weight inv_std (dy - mean(dy) - xhat mean(dy xhat)) where the statistics are the
/// batch's own, weight inv_std dy where they are given (the sums are absent then).
template <class T>
void batch_norm_backward(Cuda, const BatchNormGeometry& g, View<const T, 1> x, View<const T, 1> dy,
                         View<const T, 1> mean, View<const T, 1> inv_std, View<const T, 1> weight,
                         View<const T, 1> sum_dy, View<const T, 1> sum_dy_xhat, Into<T, 1> dx) {
  const gpu::AnyDivisor channels(g.channels);
  if (!sum_dy.data)
    return detail::plane_map(detail::BatchNormScale<T>{inv_std.data, weight.data, channels},
                             g.planes(), g.spatial, dy.data, static_cast<const T*>(nullptr),
                             dx.data, dx.add);
  const detail::BatchNormBackward<T> f{mean.data,   inv_std.data,     weight.data,
                                       sum_dy.data, sum_dy_xhat.data, static_cast<T>(g.count()),
                                       channels};
  detail::plane_map(f, g.planes(), g.spatial, x.data, dy.data, dx.data, dx.add);
}

#define EBB_BATCH_NORM_ON_CUDA(T)                                                                 \
  EBB_COMPILED_ON_CUDA(void batch_norm_statistics<T>(Cuda, const BatchNormGeometry&,              \
                                                     View<const T, 1>, View<detail::Wide<T>, 2>,  \
                                                     View<T, 1>, View<T, 1>))                     \
  EBB_COMPILED_ON_CUDA(void batch_norm_apply<T>(Cuda, const BatchNormGeometry&, View<const T, 1>, \
                                                View<const T, 1>, View<const T, 1>,               \
                                                View<const T, 1>, View<const T, 1>, View<T, 1>))  \
  EBB_COMPILED_ON_CUDA(void batch_norm_sums<T>(                                                   \
      Cuda, const BatchNormGeometry&, View<const T, 1>, View<const T, 1>, View<const T, 1>,       \
      View<const T, 1>, View<detail::Wide<T>, 2>, View<T, 1>, View<T, 1>))                        \
  EBB_COMPILED_ON_CUDA(void batch_norm_backward<T>(                                               \
      Cuda, const BatchNormGeometry&, View<const T, 1>, View<const T, 1>, View<const T, 1>,       \
      View<const T, 1>, View<const T, 1>, View<const T, 1>, View<const T, 1>, Into<T, 1>))
EBB_BATCH_NORM_ON_CUDA(float)
EBB_BATCH_NORM_ON_CUDA(double)
#undef EBB_BATCH_NORM_ON_CUDA

}  // namespace ebb::kernel
