/// \file
/// NAdam.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

/// Adam with Nesterov's look-ahead, whose momentum rises with the step t:
///
///     mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2),   M(t) = mu(1) ... mu(t)
///     m, v as in Adam
///     w -= lr ((1 - mu(t)) / (1 - M(t)) g + mu(t+1) / (1 - M(t+1)) m)
///             / (sqrt(v / (1 - beta2^t)) + eps)
///
/// Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016. The product M is kept
/// in double for every parameter.
struct NAdam {
  static constexpr const char* name = "nadam";
  static constexpr int states = 2;
  static constexpr int memory = 1;  ///< M(t)
  static constexpr const char* state_names[] = {"exp_avg", "exp_avg_sq"};

  double lr = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;

  void check() const {
    require_not_negative(name, "lr", lr);
    require_decay(name, "beta1", beta1);
    require_decay(name, "beta2", beta2);
    require_not_negative(name, "eps", eps);
    require_not_negative(name, "weight_decay", weight_decay);
    require_not_negative(name, "momentum_decay", momentum_decay);
  }

  struct Step {
    double gradient_rate, mean_rate, root;
  };
  Step prepare(const StepInfo& info) const {
    const auto t = static_cast<double>(info.number);
    const double mu = momentum_at(t), next = momentum_at(t + 1);
    double& product = info.memory[0];
    product = info.number == 1 ? mu : product * mu;
    return {lr * (1 - mu) / (1 - product), lr * next / (1 - product * next),
            std::sqrt(1 - std::pow(beta2, t))};
  }

  template <class T>
  EBB_HD void update(T& w, T g, T* state, const Step& step) const {
    g += T(weight_decay) * w;
    state[0] = T(beta1) * state[0] + T(1 - beta1) * g;
    state[1] = T(beta2) * state[1] + T(1 - beta2) * (g * g);
    const T direction = T(step.gradient_rate) * g + T(step.mean_rate) * state[0];
    w -= direction / (math::sqrt(state[1]) / T(step.root) + T(eps));
  }

 private:
  double momentum_at(double t) const {
    return beta1 * (1 - 0.5 * std::pow(0.96, t * momentum_decay));
  }
};

}  // namespace ebb::optim
