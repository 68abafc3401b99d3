/// \file
/// Stochastic gradient descent with momentum.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/optim/kernel.hpp>
#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

/// Heavy-ball momentum as PyTorch writes it:
///
///     g += weight_decay w
///     v  = momentum v + (1 - dampening) g      (v = g at first, and without momentum)
///     w -= lr v                                (Nesterov: lr (g + momentum v))
///
/// A momentum that is turned on later begins then; one that is turned off and on again goes on from
/// the v that it left. Polyak, "Some methods of speeding up the convergence of iteration methods"
/// (1964); Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and momentum in
/// deep learning", ICML 2013.
struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr int states = 1;
  static constexpr const char* state_names[] = {"momentum_buffer"};

  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;

  void check() const {
    require_not_negative(name, "lr", lr);
    require_not_negative(name, "momentum", momentum);
    require_not_negative(name, "weight_decay", weight_decay);
    if (!math::is_finite(dampening))
      throw ValueError(message(name, ": dampening = ", dampening, " must be a finite number"));
    if (nesterov && (momentum <= 0 || dampening != 0))
      throw ValueError(message(name,
                               ": nesterov needs a momentum above 0 and no dampening; found "
                               "momentum = ",
                               momentum, " and dampening = ", dampening));
  }

  int states_used() const { return momentum != 0 ? 1 : 0; }

  struct Step {
    double gain;  ///< what the gradient is multiplied with on its way into v
  };
  Step prepare(const StepInfo& info) const {
    return {momentum == 0 || info.fresh ? 1.0 : 1.0 - dampening};
  }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const Step& step) const {
    g += T(weight_decay) * w;
    state[0] = T(momentum) * state[0] + T(step.gain) * g;
    w -= T(lr) * math::select(nesterov, g + T(momentum) * state[0], state[0]);
  }
};

}  // namespace ebb::optim

namespace ebb::inline EBB_ABI {
EBB_COMPILED_RULE(optim::Sgd)
}  // namespace ebb
