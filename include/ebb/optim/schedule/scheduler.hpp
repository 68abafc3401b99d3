/// \file
/// Applies a schedule to an optimizer.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/replay.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::optim {

/// Something with a learning rate for every step.
template <class S>
concept Schedule = requires(const S& schedule, std::int64_t step, double base) {
  { schedule.lr(step, base) } -> std::convertible_to<double>;
};

/// Moves each group's learning rate at every `step()`, which comes after the optimizer's:
///
///     optim::Scheduler scheduler(opt, optim::CosineLr{.steps = epochs});
///     for (...) { train_epoch(); scheduler.step(); }
///
/// Several of one optimizer compose as PyTorch's do, and so do they with `ReduceOnPlateau` and with
/// a rate that was set by hand: each goes on from the rate it finds, by the factor between its
/// schedule's rates of two steps.
///
///     optim::Scheduler warm_up(opt, optim::WarmUp<>{.steps = 5});
///     optim::Scheduler decay(opt, optim::ExponentialLr{.gamma = 0.9});
///     for (...) { train_epoch(); warm_up.step(); decay.step(); }
///
/// The exceptions are PyTorch's as well: `OneCycleLr` and `CosineWarmRestarts` set the rate
/// whatever it was, so that they come first. A schedule of your own says so by `static constexpr
/// bool sets_rate = true`; one that falls to a rate above zero, as `CosineLr`, tells it by
/// `floor_lr(step)`, and factors count from there.
///
/// All begin from the rate that a group had when the first of them was made, or from the
/// `initial_lr()` of a schedule before them that has one, as `OneCycleLr`. Holds a reference to
/// the optimizer, which must outlive it. In a step that is captured
/// (`ebb::capture`) it moves on at each replay, and must stay where it is.
template <class Optimizer, Schedule S>
class Scheduler {
 public:
  /// Takes up step 0. \throws ValueError when the schedule's settings make no sense.
  Scheduler(Optimizer& opt, S schedule) : opt_(&opt), schedule_(std::move(schedule)) {
    if constexpr (requires { schedule_.check(); }) schedule_.check();
    advance();
  }

  /// Goes on to the next step's rate.
  void step() {
    ++step_;
    advance();
    ebb::detail::on_replay([this] { step(); });
  }

  std::int64_t steps() const { return step_; }
  const S& schedule() const { return schedule_; }

  /// Calls `f(name, number)` with a `double&` for the step and each group's base rate; `f` may
  /// change them, and then the rates are those of this schedule alone. What others made of them
  /// comes back with the optimizer's own numbers, which are to be restored after these.
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
    if (!changed) return;
    for (int group = 0; group < opt_->groups(); ++group) {
      if (static_cast<std::size_t>(group) >= base_.size()) base_.push_back(initial(group));
      opt_->set_lr(schedule_.lr(step_, base_[static_cast<std::size_t>(group)]), group);
      move_momentum(group);
    }
  }

 private:
  /// From the rates of the step before, or from those that a group came with, to this step's.
  void advance() {
    for (int group = 0; group < opt_->groups(); ++group) {
      const bool fresh = static_cast<std::size_t>(group) >= base_.size();
      if (fresh) base_.push_back(initial(group));
      const double base = base_[static_cast<std::size_t>(group)];
      opt_->set_lr(next(opt_->lr(group), base, fresh), group);
      move_momentum(group);
    }
  }

  double initial(int group) const {
    if constexpr (requires { opt_->set_initial_lr(schedule_.initial_lr(), group); })
      opt_->set_initial_lr(schedule_.initial_lr(), group);
    if constexpr (requires { opt_->initial_lr(group); })
      return opt_->initial_lr(group);
    else
      return opt_->lr(group);
  }

  /// The rate after `now`. Where nobody else moved it, it is the schedule's to the bit.
  double next(double now, double base, bool fresh) const {
    const double to = schedule_.lr(step_, base);
    if constexpr (requires { S::sets_rate; })
      if (S::sets_rate) return to;
    const double from = fresh ? base : schedule_.lr(step_ - 1, base);
    if (now == from) return to;
    double floor = 0;
    if constexpr (requires { schedule_.floor_lr(step_); }) floor = schedule_.floor_lr(step_);
    if (from == floor) return now + (to - from);  // up again from the floor, as PyTorch's cosine
    return floor + (now - floor) * ((to - floor) / (from - floor));
  }

  void move_momentum(int group) {
    if constexpr (requires { schedule_.momentum(step_); })
      if (schedule_.cycle_momentum) set_momentum(group, schedule_.momentum(step_));
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
