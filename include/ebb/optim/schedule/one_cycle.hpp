/// \file
/// The one-cycle policy: Smith & Topin, "Super-convergence: very fast training of neural networks
/// using large learning rates", arXiv:1708.07120 (2018).
#pragma once

#include <ebb/core/error.hpp>

#include <cmath>
#include <cstdint>

namespace ebb::inline EBB_ABI::optim {

enum class Anneal { cosine, linear };

/// Up from max_lr / div_factor to max_lr over the first `pct_start` of the steps, then down to
/// max_lr / (div_factor final_div_factor); with `three_phase`, down as slowly as it went up, and
/// then to the end. The momentum (or beta1) moves the other way unless `cycle_momentum` is false.
/// The group's own learning rate plays no part: other schedulers, made later, begin from max_lr /
/// div_factor, as PyTorch's do.
struct OneCycleLr {
  double max_lr = 0;
  std::int64_t total_steps = 0;
  double pct_start = 0.3;
  Anneal anneal = Anneal::cosine;
  bool cycle_momentum = true;
  double base_momentum = 0.85;
  double max_momentum = 0.95;
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool three_phase = false;
  static constexpr bool sets_rate = true;

  void check() const {
    if (!(max_lr > 0) || total_steps < 1 || !(pct_start >= 0 && pct_start <= 1) ||
        !(div_factor > 0) || !(final_div_factor > 0))
      throw ValueError(message("one cycle lr: max_lr = ", max_lr, ", div_factor = ", div_factor,
                               " and final_div_factor = ", final_div_factor,
                               " must be positive, "
                               "total_steps = ",
                               total_steps, " at least 1, and pct_start = ", pct_start,
                               " between 0 and 1"));
  }

  double initial_lr() const { return max_lr / div_factor; }
  double lr(std::int64_t step, double) const {
    const double start = initial_lr();
    return along(step, start, max_lr, start / final_div_factor, start);
  }
  double momentum(std::int64_t step) const {
    return along(step, max_momentum, base_momentum, max_momentum, max_momentum);
  }

 private:
  double blend(double from, double to, double share) const {
    return anneal == Anneal::cosine
               ? to + (from - to) / 2 * (1 + std::cos(3.14159265358979323846 * share))
               : from + (to - from) * share;
  }

  /// From `low` to `high`, and back to `end` (over `middle` where there are three phases).
  double along(std::int64_t step, double low, double high, double end, double middle) const {
    if (step < 0 || step > total_steps)
      throw ValueError(message("one cycle lr: step ", step, " is outside the cycle of ",
                               total_steps,
                               " steps; set total_steps to the number of steps you take"));
    const auto total = static_cast<double>(total_steps);
    const double peak = pct_start * total - 1, last = total - 1;
    // The call after the last step is harmless: it keeps the last rate.
    const double at = step < total_steps ? static_cast<double>(step) : last;
    if (at <= peak) return peak == 0 ? high : blend(low, high, at / peak);
    if (!three_phase) return blend(high, end, (at - peak) / (last - peak));
    const double turn = 2 * pct_start * total - 2;
    if (at <= turn) return blend(high, middle, (at - peak) / (turn - peak));
    return blend(middle, end, (at - turn) / (last - turn));
  }
};

}  // namespace ebb::optim
