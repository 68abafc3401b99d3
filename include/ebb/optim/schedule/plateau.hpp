/// \file
/// A learning rate that falls when a measure stops improving.
#pragma once

#include <ebb/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace ebb::inline EBB_ABI::optim {

enum class Better { lower, higher };
enum class Threshold { relative, absolute };

struct PlateauOptions {
  Better better = Better::lower;  ///< PyTorch's mode min and max
  double factor = 0.1;
  std::int64_t patience = 10;  ///< measures without improvement that are borne
  double threshold = 1e-4;
  Threshold threshold_mode = Threshold::relative;
  std::int64_t cooldown = 0;  ///< measures after a reduction that do not count as bad
  double min_lr = 0;
  double eps = 1e-8;  ///< a smaller change of the rate is not made
};

/// Multiplies every group's learning rate by `factor` when `patience` measures in a row brought no
/// improvement, as PyTorch's ReduceLROnPlateau:
///
///     optim::ReduceOnPlateau plateau({.patience = 3});
///     plateau.step(validation_loss, opt);
///
/// A relative threshold is a share of the best measure's size: of a best of -2, a threshold of 0.1
/// asks for less than -2.2. (PyTorch asks for less than -1.8, so that any worse measure down to
/// there counts as an improvement.)
class ReduceOnPlateau {
 public:
  using Options = PlateauOptions;

  /// \throws ValueError when the factor is not below 1, or an option is negative.
  explicit ReduceOnPlateau(Options options = {}) : options_(options), best_(worst()) {
    if (!(options.factor > 0 && options.factor < 1) || options.patience < 0 ||
        options.cooldown < 0 || !(options.threshold >= 0) || !(options.min_lr >= 0))
      throw ValueError(message("reduce on plateau: factor = ", options.factor,
                               " must be above 0 and "
                               "below 1; patience, cooldown, threshold and min_lr must not be "
                               "negative"));
  }

  /// Takes the next measure; returns whether the learning rate is to be reduced.
  bool observe(double measure) {
    if (improves(measure)) {
      best_ = measure;
      bad_ = 0;
    } else {
      ++bad_;
    }
    if (cooling_ > 0) {
      --cooling_;
      bad_ = 0;
    }
    if (bad_ <= options_.patience) return false;
    cooling_ = options_.cooldown;
    bad_ = 0;
    return true;
  }

  /// The rate after a reduction.
  double reduced(double lr) const {
    const double lower = std::max(lr * options_.factor, options_.min_lr);
    return lr - lower > options_.eps ? lower : lr;
  }

  /// Takes the next measure, and reduces the rates of `opt` when it is time.
  template <class Optimizer>
  bool step(double measure, Optimizer& opt) {
    if (!observe(measure)) return false;
    for (int group = 0; group < opt.groups(); ++group) opt.set_lr(reduced(opt.lr(group)), group);
    return true;
  }

  double best() const { return best_; }

  /// Calls `f(name, number)` with a `double&` for each number to save; `f` may change them.
  template <class F>
  void visit_numbers(F&& f) {
    auto bad = static_cast<double>(bad_), cooling = static_cast<double>(cooling_);
    f("best", best_);
    f("bad", bad);
    f("cooling", cooling);
    bad_ = static_cast<std::int64_t>(bad);
    cooling_ = static_cast<std::int64_t>(cooling);
  }

 private:
  double worst() const {
    const double infinity = std::numeric_limits<double>::infinity();
    return options_.better == Better::lower ? infinity : -infinity;
  }
  bool improves(double measure) const {
    const bool lower = options_.better == Better::lower;
    if (std::isinf(best_)) return lower ? measure < best_ : measure > best_;
    // By the size of the best, so that a negative one is a bound beyond it, not short of it.
    const bool towards_zero = lower == (best_ >= 0);
    const double factor = towards_zero ? 1 - options_.threshold : 1 + options_.threshold;
    const double step = lower ? -options_.threshold : options_.threshold;
    const double bound =
        options_.threshold_mode == Threshold::relative ? best_ * factor : best_ + step;
    return lower ? measure < bound : measure > bound;
  }

  Options options_;
  double best_;
  std::int64_t bad_ = 0, cooling_ = 0;
};

}  // namespace ebb::optim
