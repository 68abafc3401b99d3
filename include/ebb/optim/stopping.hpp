/// \file
/// When to stop.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/finite.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace ebb::inline EBB_ABI::optim {

struct StoppingOptions {
  double min_change = 0;  ///< stop when |loss - previous loss| is below this (0: never)
  double min_loss = -std::numeric_limits<double>::infinity();  ///< stop at or below this loss
  std::int64_t patience = 0;   ///< stop after so many losses without a new best (0: never)
  double min_improvement = 0;  ///< how much lower than the best counts as a new best
  std::int64_t max_steps = 0;  ///< stop after so many losses (0: never)
};

/// Watches a loss and says when to stop:
///
///     optim::Stopping stop({.min_change = 1e-6, .max_steps = 1000});
///     while (!stop(train_one_step())) {}
///     std::puts(stop.reason());
///
/// A loss that is not finite stops at once.
class Stopping {
 public:
  using Options = StoppingOptions;

  /// \throws ValueError when an option is negative or not a number, or none is set.
  explicit Stopping(Options options) : options_(options) {
    if (!(options.min_change >= 0) || !(options.min_improvement >= 0) || options.patience < 0 ||
        options.max_steps < 0 || math::is_nan(options.min_loss))
      throw ValueError(
          "stopping: min_change, min_improvement, patience and max_steps must not be "
          "negative, and min_loss must be a number");
    if (options.min_change == 0 && options.patience == 0 && options.max_steps == 0 &&
        math::is_infinite(options.min_loss))
      throw ValueError(
          "stopping: no criterion is set, so this would never stop; give min_change, "
          "min_loss, patience or max_steps");
  }

  /// Takes the next loss; true when it is time to stop.
  bool operator()(double loss) {
    ++steps_;
    const double change = std::abs(loss - previous_);
    previous_ = loss;
    if (loss < best_ - options_.min_improvement || steps_ == 1) {
      best_ = loss;
      best_step_ = steps_;
    }
    if (!math::is_finite(loss))
      reason_ = "the loss is not finite";
    else if (loss <= options_.min_loss)
      reason_ = "the loss is low enough";
    else if (steps_ > 1 && change < options_.min_change)
      reason_ = "the loss changes less than the threshold";
    else if (options_.patience > 0 && steps_ - best_step_ >= options_.patience)
      reason_ = "the loss has not improved for as long as patience allows";
    else if (options_.max_steps > 0 && steps_ >= options_.max_steps)
      reason_ = "the limit of steps is reached";
    else
      reason_ = "";
    return stopped();
  }

  bool stopped() const { return reason_[0] != '\0'; }
  /// Why it stopped, as a clause; "" while it has not.
  const char* reason() const { return reason_; }
  std::int64_t steps() const { return steps_; }
  double best() const { return best_; }
  std::int64_t best_step() const { return best_step_; }  ///< counted from 1

  /// Calls `f(name, number)` with a `double&` for each number to save; `f` may change them.
  template <class F>
  void visit_numbers(F&& f) {
    auto steps = static_cast<double>(steps_), best_step = static_cast<double>(best_step_);
    f("steps", steps);
    f("best_step", best_step);
    f("best", best_);
    f("previous", previous_);
    steps_ = static_cast<std::int64_t>(steps);
    best_step_ = static_cast<std::int64_t>(best_step);
  }

 private:
  Options options_;
  std::int64_t steps_ = 0, best_step_ = 0;
  double best_ = std::numeric_limits<double>::infinity();
  double previous_ = std::numeric_limits<double>::infinity();
  const char* reason_ = "";
};

}  // namespace ebb::optim
