/// \file
/// Plain gradient descent.
#pragma once

#include <ebb/optim/rule.hpp>

namespace ebb::inline EBB_ABI::optim {

/// w -= lr g. Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées",
/// Comptes Rendus 25 (1847).
struct GradientDescent {
  static constexpr const char* name = "gradient descent";
  static constexpr int states = 0;

  double lr = 1e-3;

  void check() const { require_not_negative(name, "lr", lr); }

  template <class T>
  EBB_HD void update(T& w, T g, T*, const StepInfo&) const {
    w -= T(lr) * g;
  }
};

}  // namespace ebb::optim
