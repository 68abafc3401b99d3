/// \file
/// Adagrad.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

/// A step per weight that shrinks with the sum of its squared gradients:
///
///     s += g^2;  w -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
///
/// Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic
/// optimization", JMLR 12 (2011).
struct Adagrad {
  static constexpr const char* name = "adagrad";
  static constexpr int states = 1;
  static constexpr const char* state_names[] = {"sum"};

  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;

  void check() const {
    require_not_negative(name, "lr", lr);
    require_not_negative(name, "lr_decay", lr_decay);
    require_not_negative(name, "weight_decay", weight_decay);
    require_not_negative(name, "initial_accumulator_value", initial_accumulator_value);
    require_not_negative(name, "eps", eps);
  }

  struct Step {
    double rate, start;
  };
  Step prepare(const StepInfo& info) const {
    return {lr / (1 + static_cast<double>(info.number - 1) * lr_decay),
            info.number == 1 ? initial_accumulator_value : 0.0};
  }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const Step& step) const {
    g += T(weight_decay) * w;
    state[0] += T(step.start) + g * g;
    w -= T(step.rate) * g / (math::sqrt(state[0]) + T(eps));
  }
};

}  // namespace ebb::optim
