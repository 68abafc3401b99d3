/// \file
/// Learning rates that fall in steps, and by a constant factor.
#pragma once

#include <ebb/core/error.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace ebb::inline EBB_ABI::optim {

/// A schedule is a pure function of the step: `lr(step, base)` is the learning rate of step number
/// `step` (from 0; a step may be an epoch) for a group that began with `base`. Any struct with such
/// a member is one; `Scheduler` applies it to an optimizer.
struct ConstantLr {
  double lr(std::int64_t, double base) const { return base; }
};

/// base * gamma^(step / step_size), in whole steps.
struct StepLr {
  std::int64_t step_size = 1;
  double gamma = 0.1;

  void check() const {
    if (step_size < 1)
      throw ValueError(message("step lr: step_size = ", step_size, " must be at least 1"));
  }
  double lr(std::int64_t step, double base) const {
    const std::int64_t stages = step / step_size;
    return base * std::pow(gamma, static_cast<double>(stages));
  }
};

/// base * gamma^(number of milestones reached).
struct MultiStepLr {
  std::vector<std::int64_t> milestones;
  double gamma = 0.1;

  double lr(std::int64_t step, double base) const {
    int reached = 0;
    for (const std::int64_t milestone : milestones) reached += milestone <= step ? 1 : 0;
    return base * std::pow(gamma, reached);
  }
};

/// base * gamma^step.
struct ExponentialLr {
  double gamma = 0.95;

  double lr(std::int64_t step, double base) const {
    return base * std::pow(gamma, static_cast<double>(step));
  }
};

}  // namespace ebb::optim
