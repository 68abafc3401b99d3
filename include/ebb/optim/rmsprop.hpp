/// \file
/// RMSprop.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

/// The gradient over a running root mean square of itself:
///
///     s  = alpha s + (1 - alpha) g^2
///     m  = alpha m + (1 - alpha) g             (centered only)
///     d  = g / (sqrt(s - m^2) + eps)
///     b  = momentum b + d;  w -= lr b          (without momentum: w -= lr d)
///
/// Tieleman & Hinton, "Lecture 6.5: RMSprop", Neural Networks for Machine Learning (2012);
/// centered: Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850 (2013).
struct RMSprop {
  static constexpr const char* name = "rmsprop";
  static constexpr int states = 3;
  static constexpr const char* state_names[] = {"square_avg", "momentum_buffer", "grad_avg"};

  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;

  void check() const {
    require_not_negative(name, "lr", lr);
    require_decay(name, "alpha", alpha);
    require_not_negative(name, "eps", eps);
    require_not_negative(name, "weight_decay", weight_decay);
    require_not_negative(name, "momentum", momentum);
  }

  int states_used() const { return centered ? 3 : momentum > 0 ? 2 : 1; }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const StepInfo&) const {
    g += T(weight_decay) * w;
    state[0] = T(alpha) * state[0] + T(1 - alpha) * (g * g);
    const T mean = T(alpha) * state[2] + T(1 - alpha) * g;
    state[2] = math::select(centered, mean, state[2]);
    T variance = math::select(centered, state[0] - mean * mean, state[0]);
    // Rounding can leave it a hair below zero where the gradient never changes.
    variance = math::select(variance < T(0), T(0), variance);
    state[1] = T(momentum) * state[1] + g / (math::sqrt(variance) + T(eps));
    w -= T(lr) * state[1];
  }
};

}  // namespace ebb::optim
