/// \file
/// Lion.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

/// Steps of one size for every weight, in the direction of a sign:
///
///     w -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay w)
///     m  = beta2 m + (1 - beta2) g
///
/// Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023 (algorithm 2). It
/// wants a learning rate 3 to 10 times smaller than AdamW's and a decay as much larger.
struct Lion {
  static constexpr const char* name = "lion";
  static constexpr int states = 1;
  static constexpr const char* state_names[] = {"exp_avg"};

  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;

  void check() const {
    require_not_negative(name, "lr", lr);
    require_decay(name, "beta1", beta1);
    require_decay(name, "beta2", beta2);
    require_not_negative(name, "weight_decay", weight_decay);
  }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const StepInfo&) const {
    const T u = T(beta1) * state[0] + T(1 - beta1) * g;
    // A gradient that is not a number must not look like one that is zero.
    const T sign = math::select(u > T(0), T(1), math::select(u < T(0), T(-1), u));
    w -= T(lr) * (sign + T(weight_decay) * w);
    state[0] = T(beta2) * state[0] + T(1 - beta2) * g;
  }
};

}  // namespace ebb::optim
