/// \file
/// L-BFGS, for problems small enough that every step sees all the data.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/optim/line_search.hpp>
#include <ebb/optim/orphans.hpp>
#include <ebb/optim/rule.hpp>
#include <ebb/optim/stretch.hpp>

#include <memory>

namespace ebb::inline EBB_ABI::optim {

struct LbfgsOptions {
  double lr = 1;                   ///< first trial of every line search
  int max_iterations = 20;         ///< per call of `step`
  int history = 10;                ///< pairs of differences that stand for the Hessian
  double tolerance_grad = 1e-7;    ///< converged when no element of the gradient is larger
  double tolerance_change = 1e-9;  ///< or when no weight moves more than this
  WolfeOptions line_search{};
};

/// The limited-memory quasi-Newton method of Nocedal & Wright, "Numerical Optimization", 2nd ed.,
/// Springer 2006, algorithms 7.4 and 7.5 (Liu & Nocedal, Mathematical Programming 45, 1989), with a
/// line search for the strong Wolfe conditions. `closure` computes the loss and its gradients, and
/// is called several times a step:
///
///     optim::Lbfgs opt(net);
///     opt.step([&] {
///       Tape tape;
///       auto loss = mse_loss(net(tape.input(x)), y);
///       backward(loss);
///       return loss.item();
///     });
///
/// It works in double on the host, whatever the parameters are: a teaching tool, not for networks
/// of millions of weights or for mini-batches.
class Lbfgs {
 public:
  using Options = LbfgsOptions;

  /// \throws ValueError when an option makes no sense, or there are no parameters.
  template <class Net>
  explicit Lbfgs(const Net& net, Options options = {}) : options_(options) {
    require_not_negative("lbfgs", "lr", options.lr);
    require_not_negative("lbfgs", "tolerance_grad", options.tolerance_grad);
    require_not_negative("lbfgs", "tolerance_change", options.tolerance_change);
    const WolfeOptions& wolfe = options.line_search;
    if (options.lr == 0 || options.max_iterations < 1 || options.history < 1 ||
        wolfe.max_evaluations < 1)
      throw ValueError(
          message("lbfgs: lr, max_iterations, history and max_evaluations must be "
                  "positive; found ",
                  options.lr, ", ", options.max_iterations, ", ", options.history, " and ",
                  wolfe.max_evaluations));
    if (!(wolfe.decrease > 0 && wolfe.decrease < wolfe.curvature && wolfe.curvature < 1))
      throw ValueError(message("lbfgs: the line search needs 0 < decrease < curvature < 1; found ",
                               wolfe.decrease, " and ", wolfe.curvature));
    nn::name_parameters(net);
    nn::visit_parameters(net, [&]<class Tens>(const std::string&, const Param<Tens>& p) {
      using T = typename Tens::scalar;
      parts_.push_back(std::make_unique<detail::StretchOf<T, typename Tens::device>>(p.cell()));
      size_ += static_cast<std::size_t>(p.size());
      p.cell()->arrival.expected = true;
    });
    if (size_ == 0)
      throw ValueError(
          "lbfgs: there are no parameters to optimize; list the network's layers in "
          "its visit()");
  }

  /// Takes up to `max_iterations` steps; returns the loss at the end.
  /// \throws NumericError when the loss or its gradient is not finite at the start; ValueError at
  /// the first step, when the loss teaches a parameter that no optimizer was given
  /// (`Optimizer::step`).
  template <class Closure>
  double step(Closure&& closure) {
    Vector x(size_), g(size_), trial(size_), trial_g(size_), direction(size_);
    gather(x);
    double loss = evaluate(closure, x, g);
    if (!checked_) require_no_orphans();
    checked_ = true;
    if (!math::is_finite(loss) || !math::is_finite(largest(g)))
      throw NumericError(message("lbfgs: the loss (", loss,
                                 ") or its gradient is not finite at the "
                                 "starting point"));
    converged_ = largest(g) <= options_.tolerance_grad;
    for (int iteration = 0; iteration < options_.max_iterations && !converged_; ++iteration) {
      find_direction(g, direction);
      LinePoint start{0, loss, dot(g, direction)};
      if (start.slope >= 0) {  // the history misleads: begin anew, downhill
        pairs_.clear();
        find_direction(g, direction);
        start.slope = dot(g, direction);
      }
      // Before there is a history the direction has the scale of the gradient, not of a step.
      const double sum = pairs_.empty() ? sum_of_magnitudes(g) : 0;
      const double first = options_.lr * (sum > 1 ? 1 / sum : 1);
      double seen = -1;  // length of the latest trial
      const auto along = [&](double length) {
        seen = length;
        for (std::size_t i = 0; i < size_; ++i) trial[i] = x[i] + length * direction[i];
        const double value = evaluate(closure, trial, trial_g);
        return LinePoint{length, value, dot(trial_g, direction)};
      };
      const LinePoint found = wolfe_search(start, first, options_.line_search, along);
      if (found.length == 0) {
        evaluate(closure, x, g);
        if (pairs_.empty()) break;  // downhill itself leads nowhere: rounding is all that is left
        pairs_.clear();
        continue;
      }
      if (seen != found.length) along(found.length);  // it went back to an earlier trial
      loss = found.value;
      const double moved = std::abs(found.length) * largest(direction);
      remember(x, g, trial, trial_g);
      x = trial;
      g = trial_g;
      ++iterations_;
      converged_ = largest(g) <= options_.tolerance_grad || moved <= options_.tolerance_change;
    }
    gradient_norm_ = largest(g);
    return loss;
  }

  void zero_grad() const {
    for (const auto& part : parts_) part->zero_grad();
  }

  /// The parameters that are not frozen and that no gradient has reached: what the loss does not
  /// depend on, or a layer that the network's call leaves out.
  std::vector<std::string> unreached() const {
    std::vector<std::string> names;
    for (const auto& part : parts_)
      if (std::string name = part->name_if_unreached(); !name.empty())
        names.push_back(std::move(name));
    return names;
  }

  /// Whether the last `step` met a tolerance.
  bool converged() const { return converged_; }
  /// The largest element of the gradient after the last `step`.
  double gradient_norm() const { return gradient_norm_; }
  /// Steps taken, and evaluations of the closure, so far.
  std::int64_t iterations() const { return iterations_; }
  std::int64_t evaluations() const { return evaluations_; }

 private:
  using Vector = std::vector<double>;
  struct Pair {
    Vector s, y;  ///< differences of the weights, and of the gradients
    double rho;   ///< 1 / (y . s)
  };

  void require_no_orphans() const {
    detail::require_no_orphans("lbfgs", [this](std::uint64_t pass) {
      for (const auto& part : parts_)
        if (part->reached_by(pass)) return true;
      return false;
    });
  }

  static double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }
  static double largest(const Vector& a) {
    double most = 0;
    for (const double v : a)
      if (!(std::abs(v) <= most)) most = std::abs(v);
    return most;
  }
  static double sum_of_magnitudes(const Vector& a) {
    double sum = 0;
    for (const double v : a) sum += std::abs(v);
    return sum;
  }

  void gather(Vector& x) const {
    double* at = x.data();
    for (const auto& part : parts_) {
      part->read(at);
      at += part->size();
    }
  }

  template <class Closure>
  double evaluate(Closure& closure, const Vector& x, Vector& g) {
    const double* from = x.data();
    for (const auto& part : parts_) {
      part->write(from);
      from += part->size();
      part->zero_grad();
    }
    ++evaluations_;
    const auto loss = static_cast<double>(closure());
    double* to = g.data();
    for (const auto& part : parts_) {
      part->read_gradient(to);
      to += part->size();
    }
    return loss;
  }

  /// Algorithm 7.4, the two-loop recursion: direction = -H g.
  void find_direction(const Vector& g, Vector& direction) {
    Vector alpha(pairs_.size());
    for (std::size_t i = 0; i < size_; ++i) direction[i] = -g[i];
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      const Pair& pair = pairs_[k];
      alpha[k] = pair.rho * dot(pair.s, direction);
      for (std::size_t i = 0; i < size_; ++i) direction[i] -= alpha[k] * pair.y[i];
    }
    if (!pairs_.empty()) {  // equation 7.20
      const Pair& last = pairs_.back();
      const double gamma = 1 / (last.rho * dot(last.y, last.y));
      for (double& v : direction) v *= gamma;
    }
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      const Pair& pair = pairs_[k];
      const double beta = pair.rho * dot(pair.y, direction);
      for (std::size_t i = 0; i < size_; ++i) direction[i] += (alpha[k] - beta) * pair.s[i];
    }
  }

  /// Keeps the newest differences (algorithm 7.5), where the curvature between them is positive.
  void remember(const Vector& x, const Vector& g, const Vector& next, const Vector& next_g) {
    Pair pair{Vector(size_), Vector(size_), 0};
    for (std::size_t i = 0; i < size_; ++i) {
      pair.s[i] = next[i] - x[i];
      pair.y[i] = next_g[i] - g[i];
    }
    const double curvature = dot(pair.s, pair.y);
    if (!(curvature > 1e-16 * dot(pair.y, pair.y))) return;
    pair.rho = 1 / curvature;
    if (pairs_.size() == static_cast<std::size_t>(options_.history)) pairs_.erase(pairs_.begin());
    pairs_.push_back(std::move(pair));
  }

  Options options_;
  std::vector<std::unique_ptr<detail::Stretch>> parts_;
  std::size_t size_ = 0;
  std::vector<Pair> pairs_;
  bool checked_ = false, converged_ = false;
  double gradient_norm_ = 0;
  std::int64_t iterations_ = 0, evaluations_ = 0;
};

}  // namespace ebb::optim
