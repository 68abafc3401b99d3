/// \file
/// A gentle start before any other schedule.
#pragma once

#include <ebb/optim/schedule/step.hpp>

namespace ebb::inline EBB_ABI::optim {

/// From base * start_factor linearly to base over `steps` steps, then `then`, whose own steps begin
/// at 0. Goyal et al., "Accurate, large minibatch SGD", arXiv:1706.02677 (2017), section 2.2.
///
///     optim::WarmUp<optim::CosineLr> schedule{.steps = 5, .then = {.steps = 95}};
template <class Schedule = ConstantLr>
struct WarmUp {
  std::int64_t steps = 5;
  double start_factor = 1.0 / 3;
  Schedule then{};

  void check() const {
    if (steps < 0 || !(start_factor > 0 && start_factor <= 1))
      throw ValueError(message("warm-up: steps = ", steps,
                               " must not be negative, and start_factor "
                               "= ",
                               start_factor, " must be above 0 and at most 1"));
    if constexpr (requires { then.check(); }) then.check();
  }
  double lr(std::int64_t step, double base) const {
    if (step >= steps) return then.lr(step - steps, base);
    const double share = static_cast<double>(step) / static_cast<double>(steps);
    return base * (start_factor + (1 - start_factor) * share);
  }
  double floor_lr(std::int64_t step) const {
    if constexpr (requires { then.floor_lr(step); })
      if (step > steps) return then.floor_lr(step - steps);
    return 0;
  }
};

}  // namespace ebb::optim
