/// \file
/// Cosine annealing: Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts",
/// ICLR 2017, equation 5.
#pragma once

#include <ebb/core/error.hpp>

#include <cmath>
#include <cstdint>

namespace ebb::inline EBB_ABI::optim {

/// min_lr + (base - min_lr) (1 + cos(pi step / steps)) / 2: half a wave down over `steps` steps,
/// and up again after that, as PyTorch's CosineAnnealingLR.
struct CosineLr {
  std::int64_t steps = 1;  ///< PyTorch's T_max
  double min_lr = 0;       ///< PyTorch's eta_min

  void check() const {
    if (steps < 1) throw ValueError(message("cosine lr: steps = ", steps, " must be at least 1"));
  }
  double lr(std::int64_t step, double base) const {
    const double turn =
        3.14159265358979323846 * static_cast<double>(step) / static_cast<double>(steps);
    return min_lr + (base - min_lr) * (1 + std::cos(turn)) / 2;
  }
  double floor_lr(std::int64_t) const { return min_lr; }
};

/// Cosine waves down that begin anew: the first takes `first` steps, each later one `growth` times
/// as many. It sets the rate whatever others made of it.
struct CosineWarmRestarts {
  std::int64_t first = 1;   ///< PyTorch's T_0
  std::int64_t growth = 1;  ///< PyTorch's T_mult
  double min_lr = 0;        ///< PyTorch's eta_min
  static constexpr bool sets_rate = true;

  void check() const {
    if (first < 1 || growth < 1)
      throw ValueError(message("cosine warm restarts: first = ", first, " and growth = ", growth,
                               " must be at least 1"));
  }
  double lr(std::int64_t step, double base) const {
    std::int64_t length = first;
    if (growth == 1) {
      step %= first;
    } else {
      while (step >= length) {
        step -= length;
        length *= growth;
      }
    }
    return CosineLr{length, min_lr}.lr(step, base);
  }
};

}  // namespace ebb::optim
