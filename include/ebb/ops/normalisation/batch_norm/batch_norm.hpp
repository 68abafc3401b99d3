/// \file
/// Batch normalisation.
#pragma once

#include <ebb/kit/slab.hpp>
#include <ebb/ops/normalisation/batch_norm/cpu.hpp>
#include <ebb/ops/optional_operand.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

struct BatchNormOptions {
  bool training = false;  ///< normalise by the batch's statistics and update the running ones
  double momentum = 0.1;  ///< weight of the new value in the running statistics
  double eps = 1e-5;
};

namespace detail {

template <int N>
void check_batch_norm(const std::string& layer, const Shape<N>& x, bool by_batch, Index weight,
                      Index bias, Index running_mean, Index running_variance) {
  if (x.stride(0) == 0)
    throw ShapeError(message("batch_norm", layer, ": the samples of the input ", x, " are empty"));
  const auto check = [&](const char* name, Index extent) {
    if (extent >= 0 && extent != x[1])
      throw ShapeError(message("batch_norm", layer, ": the input ", x, " has ", x[1],
                               " channels (axis 1), but ", name, " has ", extent, " elements"));
  };
  check("the weight", weight);
  check("the bias", bias);
  check("the running mean", running_mean);
  check("the running variance", running_variance);
  if (by_batch && x.size() == x[1])
    throw ShapeError(message("batch_norm", layer, ": the input ", x,
                             " holds one value per "
                             "channel, which has no variance; train on more than one sample at a "
                             "time, or evaluate with the running statistics"));
}

template <Operand X, Operand W, Operand B, class Running>
auto batch_norm(const X& x, const Running& running_mean, const Running& running_variance,
                const W& weight, const B& bias, const BatchNormOptions& options) {
  using T = scalar_of<X>;
  using Device = device_of<X>;
  using Vector = Tensor<T, 1, Device>;
  const auto extent = [](const auto& v) { return v.defined() ? v.shape()[0] : Index{-1}; };
  const bool by_batch = options.training || !running_mean.defined() || !running_variance.defined();
  check_batch_norm(layer_of_either(weight, bias), x.shape(), by_batch, extent(value(weight)),
                   extent(value(bias)), extent(running_mean), extent(running_variance));

  if (x.shape()[0] == 0)
    return track_empty(LayerOp("batch_norm"), tensor_of<X>(x.shape()), x, weight, bias);
  const auto g = kernel::BatchNormGeometry::of(x.shape());
  const Shape<1> channels{g.channels};
  Vector mean(channels), inv_std(channels);
  if (by_batch) {
    const Tensor<kernel::detail::Wide<T>, 2, Device> scratch(g.scratch());
    const Vector variance(channels);
    batch_norm_statistics(Device{}, g, kernel::flat(value(x).view()), scratch.mut(), mean.mut(),
                          variance.mut());
    inverse_deviation(Device{}, variance.view(), options.eps, inv_std.mut());
    if (options.training && running_mean.defined() && running_variance.defined() &&
        !replays(x, weight, bias))
      update_running(Device{}, mean.view(), variance.view(), g.count(), options.momentum,
                     running_mean.mut(), running_variance.mut());
  } else {
    // A copy: the running statistics may have moved on before the backward pass.
    accumulate(Device{}, running_mean.view(), kernel::over(mean.mut()));
    inverse_deviation(Device{}, running_variance.view(), options.eps, inv_std.mut());
  }

  tensor_of<X> y(x.shape());
  batch_norm_apply(Device{}, g, kernel::flat(value(x).view()), mean.view(), inv_std.view(),
                   optional_view(weight), optional_view(bias), kernel::flat(y.mut()));
  return track(
      LayerOp("batch_norm", g.size()), y,
      [g, by_batch, mean, inv_std, saved = value(x), w = value(weight), dx = sink(x),
       dw = sink(weight), db = sink(bias)](const auto& dy) {
        Vector sum_dy, sum_dy_xhat;
        if (dw || db || (dx && by_batch)) {
          sum_dy = Vector(mean.shape());
          sum_dy_xhat = Vector(mean.shape());
          const Tensor<kernel::detail::Wide<T>, 2, Device> scratch(g.scratch());
          batch_norm_sums(Device{}, g, kernel::flat(saved.view()), kernel::flat(dy.view()),
                          mean.view(), inv_std.view(), scratch.mut(), sum_dy.mut(),
                          sum_dy_xhat.mut());
        }
        if (dx) {
          const auto view = [&](const Vector& v) {
            return by_batch ? v.view() : View<const T, 1>{};
          };
          batch_norm_backward(Device{}, g, kernel::flat(saved.view()), kernel::flat(dy.view()),
                              mean.view(), inv_std.view(), optional_view(w), view(sum_dy),
                              view(sum_dy_xhat), kernel::flat(dx.into()));
        }
        if (dw) dw.give(sum_dy_xhat);
        if (db) db.give(sum_dy);
      },
      x, weight, bias);
}

}  // namespace detail

/// x (n, c, ...) -> the same shape: (x - mean) / sqrt(variance + eps) * weight + bias, channel by
/// channel. In training, mean and (biased) variance are the batch's, over all axes but the channel,
/// and the running ones (each (c), updated in place; both may be undefined) move towards them, the
/// variance unbiased; otherwise the running ones are used, or the batch's where there are none.
/// Weight and bias, each (c), may be absent parameters. A tape that replays a forward pass leaves
/// the running statistics alone, and so does an empty batch. Saves x, mean and 1 / deviation. Ioffe
/// & Szegedy, "Batch normalization: accelerating deep network training by reducing internal
/// covariate shift", ICML 2015. \throws ShapeError on channel counts that differ, or one value per
/// channel in training.
template <Operand X, Operand W, Operand B>
requires SameKind<X, W, B>
auto batch_norm(const X& x, const Tensor<scalar_of<X>, 1, device_of<X>>& running_mean,
                const Tensor<scalar_of<X>, 1, device_of<X>>& running_variance, const W& weight,
                const B& bias, const BatchNormOptions& options = {}) {
  static_assert(rank_of<X> >= 2, "ebb::batch_norm: the input must be (batch, channels, ...)");
  static_assert(rank_of<W> == 1 && rank_of<B> == 1,
                "ebb::batch_norm: weight and bias must have rank 1, one element per channel");
  return detail::with_optional(weight, [&](const auto& w) {
    return detail::with_optional(bias, [&](const auto& b) {
      return detail::batch_norm(x, running_mean, running_variance, w, b, options);
    });
  });
}

/// The same without weight and bias.
template <Operand X>
auto batch_norm(const X& x, const Tensor<scalar_of<X>, 1, device_of<X>>& running_mean,
                const Tensor<scalar_of<X>, 1, device_of<X>>& running_variance,
                const BatchNormOptions& options = {}) {
  using Vector = Tensor<scalar_of<X>, 1, device_of<X>>;
  return batch_norm(x, running_mean, running_variance, Vector(), Vector(), options);
}

/// The same where x is of dual numbers, and weight and bias are constants.
template <Operand X, Operand W, Operand B>
requires MixesDual<X, W, B>
auto batch_norm(const X& x, const Tensor<scalar_of<X>, 1, device_of<X>>& running_mean,
                const Tensor<scalar_of<X>, 1, device_of<X>>& running_variance, const W& weight,
                const B& bias, const BatchNormOptions& options = {}) {
  return with_lifted(
      [&](const auto& z, const auto&... rest) {
        return batch_norm(z, running_mean, running_variance, rest..., options);
      },
      x, weight, bias);
}

}  // namespace ebb
