/// \file
/// Applies a schedule to an optimizer.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/replay.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

namespace ebb::optim {

/// Something with a learning rate for every step.
template <class S>
concept Schedule = requires(const S& schedule, std::int64_t step, double base) {
  { schedule.lr(step, base) } -> std::convertible_to<double>;
};

/// Remembers each group's learning rate and sets it anew at every `step()`, which comes after the
/// optimizer's:
///
///     optim::Scheduler scheduler(opt, optim::CosineLr{.steps = epochs});
///     for (...) { train_epoch(); scheduler.step(); }
///
/// Holds a reference to the optimizer, which must outlive it. In a step that is captured
/// (`ebb::capture`) it moves on at each replay, and must stay where it is.
template <class Optimizer, Schedule S>
class Scheduler {
 public:
  /// Sets the rate of step 0. \throws ValueError when the schedule's settings make no sense.
  Scheduler(Optimizer& opt, S schedule) : opt_(&opt), schedule_(std::move(schedule)) {
    if constexpr (requires { schedule_.check(); }) schedule_.check();
    for (int group = 0; group < opt.groups(); ++group) base_.push_back(opt.lr(group));
    apply();
  }

  /// Goes on to the next step's rate.
  void step() {
    ++step_;
    apply();
    on_replay([this] { step(); });
  }

  std::int64_t steps() const { return step_; }
  const S& schedule() const { return schedule_; }

  /// Calls `f(name, number)` with a `double&` for the step and each group's base rate, and sets the
  /// rates accordingly; `f` may change them.
  template <class F>
  void visit_numbers(F&& f) {
    auto step = static_cast<double>(step_);
    f(std::string("step"), step);
    const auto restored = static_cast<std::int64_t>(step);
    bool changed = restored != step_;
    step_ = restored;
    for (std::size_t group = 0; group < base_.size(); ++group) {
      const double before = base_[group];
      f("group" + std::to_string(group) + ".base_lr", base_[group]);
      changed = changed || before != base_[group];
    }
    if (changed) apply();
  }

 private:
  void apply() {
    for (int group = 0; group < opt_->groups(); ++group) {
      // A group added later begins from the rate it came with.
      if (static_cast<std::size_t>(group) >= base_.size()) base_.push_back(opt_->lr(group));
      opt_->set_lr(schedule_.lr(step_, base_[static_cast<std::size_t>(group)]), group);
      if constexpr (requires { schedule_.momentum(step_); })
        if (schedule_.cycle_momentum) set_momentum(group, schedule_.momentum(step_));
    }
  }

  void set_momentum(int group, double momentum) {
    auto rule = opt_->rule(group);
    if constexpr (requires { rule.momentum; })
      rule.momentum = momentum;
    else if constexpr (requires { rule.beta1; })
      rule.beta1 = momentum;
    else
      throw ValueError(
          "scheduler: this schedule moves the momentum, and the update rule has none; set "
          "cycle_momentum = false");
    opt_->set_rule(rule, group);
  }

  Optimizer* opt_;
  S schedule_;
  std::vector<double> base_;
  std::int64_t step_ = 0;
};

}  // namespace ebb::optim
