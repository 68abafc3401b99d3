/// \file
/// Adam and AdamW.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/optim/kernel.hpp>
#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

namespace detail {

/// What Adam's formula takes from the step number alone.
struct AdamStep {
  double rate;  ///< lr / (1 - beta1^t)
  double root;  ///< sqrt(1 - beta2^t)
};

template <class R>
AdamStep adam_step(const R& rule, const StepInfo& info) {
  const auto t = static_cast<double>(info.number);
  return {rule.lr / (1 - std::pow(rule.beta1, t)), std::sqrt(1 - std::pow(rule.beta2, t))};
}

template <class R>
void check_adam(const R& rule) {
  require_not_negative(R::name, "lr", rule.lr);
  require_decay(R::name, "beta1", rule.beta1);
  require_decay(R::name, "beta2", rule.beta2);
  require_not_negative(R::name, "eps", rule.eps);
  require_not_negative(R::name, "weight_decay", rule.weight_decay);
}

template <class R, class T>
EBB_HD void adam_update(const R& rule, T& w, T g, T* state, const AdamStep& step) {
  state[0] = T(rule.beta1) * state[0] + T(1 - rule.beta1) * g;
  state[1] = T(rule.beta2) * state[1] + T(1 - rule.beta2) * (g * g);
  state[2] = math::select(state[1] > state[2], state[1], state[2]);
  const T v = math::select(rule.amsgrad, state[2], state[1]);
  w -= T(step.rate) * state[0] / (math::sqrt(v) / T(step.root) + T(rule.eps));
}

}  // namespace detail

/// Running means of the gradient and of its square, corrected for their start at zero:
///
///     g += weight_decay w
///     m  = beta1 m + (1 - beta1) g
///     v  = beta2 v + (1 - beta2) g^2           (AMSGrad: the largest v so far is used)
///     w -= lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)
///
/// Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015; AMSGrad: Reddi, Kale &
/// Kumar, "On the convergence of Adam and beyond", ICLR 2018.
struct Adam {
  static constexpr const char* name = "adam";
  static constexpr int states = 3, fewest_states = 2;
  static constexpr const char* state_names[] = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};

  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;

  void check() const { detail::check_adam(*this); }
  int states_used() const { return amsgrad ? 3 : 2; }
  detail::AdamStep prepare(const StepInfo& info) const { return detail::adam_step(*this, info); }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const detail::AdamStep& step) const {
    detail::adam_update(*this, w, g + T(weight_decay) * w, state, step);
  }
};

/// Adam whose weight decay shrinks the weights directly, apart from the gradient's statistics:
/// w -= lr weight_decay w, then Adam's step. Loshchilov & Hutter, "Decoupled weight decay
/// regularization", ICLR 2019.
struct AdamW {
  static constexpr const char* name = "adamw";
  static constexpr int states = 3, fewest_states = 2;
  static constexpr const char* state_names[] = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};

  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;

  void check() const { detail::check_adam(*this); }
  int states_used() const { return amsgrad ? 3 : 2; }
  detail::AdamStep prepare(const StepInfo& info) const { return detail::adam_step(*this, info); }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const detail::AdamStep& step) const {
    w *= T(1 - lr * weight_decay);
    detail::adam_update(*this, w, g, state, step);
  }
};

}  // namespace ebb::optim

namespace ebb::inline EBB_ABI {
EBB_COMPILED_RULE(optim::Adam)
EBB_COMPILED_RULE(optim::AdamW)
}  // namespace ebb
