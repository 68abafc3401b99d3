/// \file
/// Adadelta.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

/// Steps in the units of the weights, by the ratio of two running means of squares:
///
///     s  = rho s + (1 - rho) g^2
///     d  = sqrt(a + eps) / sqrt(s + eps) g
///     a  = rho a + (1 - rho) d^2;  w -= lr d
///
/// Zeiler, "ADADELTA: an adaptive learning rate method", arXiv:1212.5701 (2012).
struct Adadelta {
  static constexpr const char* name = "adadelta";
  static constexpr int states = 2;
  static constexpr const char* state_names[] = {"square_avg", "acc_delta"};

  double lr = 1.0;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;

  void check() const {
    require_not_negative(name, "lr", lr);
    require_decay(name, "rho", rho);
    require_not_negative(name, "eps", eps);
    require_not_negative(name, "weight_decay", weight_decay);
  }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const StepInfo&) const {
    g += T(weight_decay) * w;
    state[0] = T(rho) * state[0] + T(1 - rho) * (g * g);
    const T delta = math::sqrt(state[1] + T(eps)) / math::sqrt(state[0] + T(eps)) * g;
    state[1] = T(rho) * state[1] + T(1 - rho) * (delta * delta);
    w -= T(lr) * delta;
  }
};

}  // namespace ebb::optim
