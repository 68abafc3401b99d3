/// \file
/// Batch normalisation layers.
#pragma once

#include <ebb/nn/buffer.hpp>
#include <ebb/nn/init.hpp>
#include <ebb/nn/mode.hpp>
#include <ebb/nn/options.hpp>
#include <ebb/ops/normalisation/batch_norm/batch_norm.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: a counter goes up by one.
template <class T>
void increment(Cpu, View<T, 0> counter) {
  ++*counter.data;
}

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI::nn {

struct NormOptions {
  double eps = 1e-5;
  double momentum = 0.1;            ///< weight of the new value in the running statistics
  bool affine = true;               ///< with weight and bias
  bool track_running_stats = true;  ///< false: the batch's statistics always
};

namespace detail {

/// What BatchNorm1d and BatchNorm2d share.
template <class T, class Device>
struct BatchNorm {
  using Vector = Tensor<T, 1, Device>;
  using Counter = Tensor<std::int64_t, 0, Device>;

  Param<Vector> weight, bias;
  Buffer<Vector> running_mean, running_var;
  Buffer<Counter> num_batches_tracked;
  NormOptions options;
  Mode mode = Mode::automatic;

  BatchNorm() = default;
  BatchNorm(const char* layer, Index channels, NormOptions o) : options(o) {
    const Shape shape{require_positive(layer, "channels", channels)};
    if (!(o.eps >= 0) || !(o.momentum >= 0 && o.momentum <= 1))
      throw ValueError(message(layer, ": eps = ", o.eps, " must not be negative and momentum = ",
                               o.momentum, " must be between 0 and 1"));
    if (o.affine) {
      weight = Vector::ones(shape);
      bias = Vector::zeros(shape);
    }
    if (o.track_running_stats) {
      running_mean = Vector::zeros(shape);
      running_var = Vector::ones(shape);
      num_batches_tracked = Counter::zeros({});
    }
  }

  /// Training writes the running statistics, also through a const layer: training of one network
  /// in several threads at once needs a copy for each.
  template <Operand X>
  auto normalize(const X& x) const {
    const bool trains = trains_on(mode, x);
    const bool tracks = options.track_running_stats;
    auto y = batch_norm(x, tracks ? running_mean.value() : Vector(),
                        tracks ? running_var.value() : Vector(), weight, bias,
                        {.training = trains, .momentum = options.momentum, .eps = options.eps});
    bool repeats = false;
    if constexpr (is_var<X>) repeats = x.tape().replays();
    if (trains && tracks && !repeats) increment(Device{}, num_batches_tracked.value().mut());
    return y;
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
    f("running_mean", self.running_mean);
    f("running_var", self.running_var);
    f("num_batches_tracked", self.num_batches_tracked);
    f("options", self.options);
    f("mode", self.mode);
  }
};

}  // namespace detail

/// x (n, c) or (n, c, l) -> the same shape, each channel normalised (ops/batch_norm).
template <class T = float, class Device = Cpu>
struct BatchNorm1d : detail::BatchNorm<T, Device> {
  /// Without channels, to be assigned to: a call throws.
  BatchNorm1d() = default;
  /// \throws ValueError when an option makes no sense.
  explicit BatchNorm1d(Index channels, NormOptions norm = {})
      : detail::BatchNorm<T, Device>("batch_norm1d", channels, norm) {}

  template <Operand X>
  auto operator()(const X& x) const {
    static_assert(rank_of<X> == 2 || rank_of<X> == 3,
                  "ebb::nn::BatchNorm1d: the input must have rank 2 (batch, channels) or 3 (batch, "
                  "channels, length); for images use BatchNorm2d");
    return this->normalize(x);
  }
};

/// x (n, c, h, w) -> the same shape, each channel normalised (ops/batch_norm).
template <class T = float, class Device = Cpu>
struct BatchNorm2d : detail::BatchNorm<T, Device> {
  /// Without channels, to be assigned to: a call throws.
  BatchNorm2d() = default;
  /// \throws ValueError when an option makes no sense.
  explicit BatchNorm2d(Index channels, NormOptions norm = {})
      : detail::BatchNorm<T, Device>("batch_norm2d", channels, norm) {}

  template <Operand X>
  auto operator()(const X& x) const {
    static_assert(
        rank_of<X> == 4,
        "ebb::nn::BatchNorm2d: the input must have rank 4 (batch, channels, height, width)"
        "; for rows use BatchNorm1d");
    return this->normalize(x);
  }
};

}  // namespace ebb::nn
