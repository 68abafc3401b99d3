/// \file
/// The training loop, for when nothing in it is out of the ordinary. It is the open loop
///
///     for (int epoch = 1; epoch <= 3; ++epoch)
///       for (const auto& [x, y] : loader) {
///         ebb::Tape tape;
///         const auto loss = ebb::cross_entropy(net(tape.input(x)), y);
///         opt.zero_grad();
///         ebb::backward(loss);
///         opt.step();
///       }
///
/// with means, a progress bar and callbacks around it, and gives the same bits. Whoever needs
/// another loop writes it.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/random.hpp>
#include <ebb/optim/clip.hpp>
#include <ebb/tape/backward.hpp>
#include <ebb/train/evaluate.hpp>
#include <ebb/train/progress.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace ebb::inline EBB_ABI {

/// What is known after a step.
struct StepFacts {
  int epoch = 0;      ///< from 1
  Index step = 0;     ///< within the epoch, from 1
  double loss = 0;    ///< nan in `fit_captured`, which does not wait for it
  Index samples = 0;  ///< in the batch
};

/// What is known after an epoch. Loss and accuracy are means over the epoch, during which the
/// network changed.
struct EpochFacts {
  int epoch = 0, epochs = 0;
  double loss = 0;
  double accuracy = std::numeric_limits<double>::quiet_NaN();  ///< nan unless targets are labels
  std::optional<Evaluation> validation;
  double seconds = 0;  ///< of training, without validation
  Index samples = 0;
  double lr =
      std::numeric_limits<double>::quiet_NaN();  ///< during the last step; nan for rules without
};

struct FitOptions {
  int epochs = 1;
  int first_epoch = 1;                     ///< 3 for a run that resumes after its second epoch
  double clip_norm = 0;                    ///< bound on the norm of all gradients; 0: none
  double clip_value = 0;                   ///< bound on every element of every gradient; 0: none
  std::function<Evaluation()> validate{};  ///< `[&] { return evaluate(net, held_out); }`
  std::function<void(const StepFacts&)>
      on_step{};  ///< after each step: schedules that move per step
  std::function<void(const EpochFacts&)>
      on_epoch{};                                 ///< after each epoch: log, schedule, checkpoint
  std::function<bool(const EpochFacts&)> stop{};  ///< asked after each epoch: early stopping
  std::function<bool()> interrupted{};  ///< asked after each step; true leaves the epoch unfinished
  std::FILE* progress = nullptr;        ///< where to show progress; stderr, usually
};

/// What `fit` did.
struct History {
  std::vector<EpochFacts> epochs;
  bool stopped = false;      ///< `stop` said so
  bool interrupted = false;  ///< `interrupted` said so; the unfinished epoch is not in `epochs`
  /// Parameters of the optimizer that no gradient had reached after the first epoch; told where
  /// progress is shown.
  std::vector<std::string> unreached;
};

namespace detail {

/// Repeats a forward pass whose loss was not finite on a tape that checks every operation.
/// \throws NumericError always, naming the first operation to blame.
template <class Net, class Loss, class X, class Y>
[[noreturn]] void blame(const Net& net, const Loss& loss, const X& x, const Y& y,
                        const Generator& before, double found, const StepFacts& at) {
  const std::string where =
      message("fit: the loss is ", found, " at step ", at.step, " of epoch ", at.epoch, ". ");
  default_generator() = before;  // the same dropout masks again
  try {
    Tape tape({.check_finite = true});
    tape.set_replays(true);
    static_cast<void>(loss(net(tape.input(x)), y));
  } catch (const NumericError& error) {
    throw NumericError(where + error.what());
  }
  throw NumericError(where +
                     "The operations of the forward pass are finite when it is repeated; "
                     "check a loss of your own for logarithms and divisions");
}

template <class Loader>
Index samples_of(const Loader& loader) {
  if constexpr (requires { loader.samples(); })
    return loader.samples();
  else
    return 0;
}

/// Says which parameters of the optimizer no gradient has reached.
template <class Optimizer>
void tell_unreached(const Optimizer& optimizer, History& history, std::FILE* stream) {
  if constexpr (requires { optimizer.unreached(); }) {
    history.unreached = optimizer.unreached();
    if (stream == nullptr || history.unreached.empty()) return;
    std::string names;
    for (const std::string& name : history.unreached) names += (names.empty() ? "" : ", ") + name;
    std::fprintf(stream,
                 "fit: no gradient has reached %s; the network's call leaves it out, or takes its "
                 "value() alone\n",
                 names.c_str());
  }
}

/// What the steps of an epoch came to so far.
struct Means {
  double loss = 0;
  double accuracy = std::numeric_limits<double>::quiet_NaN();
  Index samples = 0;
};

/// The steps of `fit`, each of which the host waits for.
template <class Net, class Optimizer, class Loss>
class EagerSteps {
 public:
  EagerSteps(Net& net, Optimizer& optimizer, const Loss& loss, const FitOptions& options)
      : net_(net), optimizer_(optimizer), loss_(loss), options_(options) {}

  void begin() {
    mean_.reset();
    accuracy_.reset();
  }

  template <class X, class Y>
  void operator()(const X& x, const Y& y, StepFacts& at) {
    const Generator before = default_generator();
    Tape tape;
    const auto scores = net_(tape.input(x));
    const auto objective = loss_(scores, y);
    at.loss = static_cast<double>(objective.item());
    if (!math::is_finite(at.loss)) blame(net_, loss_, x, y, before, at.loss, at);
    optimizer_.zero_grad();
    backward(objective);
    if (options_.clip_norm > 0) optim::clip_grad_norm(net_, options_.clip_norm);
    if (options_.clip_value > 0) optim::clip_grad_value(net_, options_.clip_value);
    optimizer_.step();

    mean_.add(at.loss, at.samples);
    if constexpr (is_labels<std::remove_cvref_t<decltype(scores)>, Y>) accuracy_.add(scores, y);
  }

  Means so_far(const StepFacts&) const {
    Means means{.loss = mean_.value(), .samples = mean_.count()};
    if (accuracy_.count() > 0) means.accuracy = accuracy_.value();
    return means;
  }

 private:
  Net& net_;
  Optimizer& optimizer_;
  const Loss& loss_;
  const FitOptions& options_;
  RunningMean mean_;
  Accuracy accuracy_;
};

/// \throws ValueError when a batch has no samples: its mean loss is 0 / 0.
inline void require_samples(const StepFacts& at) {
  if (at.samples == 0)
    throw ValueError(message("fit: batch ", at.step, " of epoch ", at.epoch,
                             " has no samples, so its loss is not defined; leave empty batches out "
                             "of the loader"));
}

/// \throws ValueError when an epoch had no steps: nothing was learnt, and its loss is not defined.
inline void require_steps(const StepFacts& at) {
  if (at.step == 0)
    throw ValueError(message("fit: the loader gave no batches in epoch ", at.epoch,
                             ", so there is nothing to learn from; is its dataset, or the split "
                             "that it is of, empty?"));
}

/// The epochs of a run, with a bar and callbacks around `steps`: `steps.begin()` at the beginning
/// of each, `steps(x, y, at)` for every batch, and `steps.so_far(at)` where somebody wants to know.
template <class Steps, class Optimizer, class Loader>
History run_epochs(Steps&& steps, const Optimizer& optimizer, Loader& loader,
                   const FitOptions& options) {
  if (options.epochs < 0 || options.first_epoch < 1)
    throw ValueError(message("fit: epochs = ", options.epochs,
                             " and first_epoch = ", options.first_epoch, "; epochs count from 1"));
  using Clock = std::chrono::steady_clock;
  History history;
  for (int epoch = options.first_epoch; epoch <= options.epochs; ++epoch) {
    // A run that resumes sees the order, and the random transforms, it would have seen.
    if constexpr (requires { loader.set_epoch(std::uint64_t{}); })
      loader.set_epoch(static_cast<std::uint64_t>(epoch - 1));
    EpochFacts facts;
    facts.epoch = epoch;
    facts.epochs = options.epochs;
    StepFacts at{.epoch = epoch};
    {
      Progress progress(message("epoch ", epoch, "/", options.epochs), samples_of(loader),
                        {.stream = options.progress});
      const auto start = Clock::now();
      steps.begin();
      for (const auto& [x, y] : loader) {
        ++at.step;
        at.samples = y.extent(0);
        require_samples(at);
        steps(x, y, at);
        if constexpr (requires { optimizer.lr(); }) facts.lr = optimizer.lr();
        if (options.on_step) options.on_step(at);
        progress.advance(at.samples, [&] { return message("loss ", steps.so_far(at).loss); });
        if (options.interrupted && options.interrupted()) {
          history.interrupted = true;
          return history;
        }
      }
      require_steps(at);
      const Means means = steps.so_far(at);
      facts.loss = means.loss;
      facts.accuracy = means.accuracy;
      facts.samples = means.samples;
      facts.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    if (epoch == options.first_epoch) tell_unreached(optimizer, history, options.progress);
    if (options.validate) facts.validation = options.validate();
    if (options.on_epoch) options.on_epoch(facts);
    history.epochs.push_back(facts);
    if (options.stop && options.stop(facts)) {
      history.stopped = epoch < options.epochs;
      break;
    }
  }
  return history;
}

}  // namespace detail

/// Trains `net` with `optimizer` on the batches `[x, y]` of `loader`, minimising `loss(net(x), y)`:
///
///     const auto history = ebb::fit(net, opt, loader, ebb::CrossEntropy{}, {.epochs = 3});
///
/// An optimizer is anything with `zero_grad()` and `step()`. On a GPU, `fit_captured` (fit.cuh)
/// waits for less.
/// \throws ValueError when an epoch has no batches, or a batch no samples; NumericError when a loss
/// is nan or infinite: the sentence names the first operation that was. The weights are then those
/// of the step before.
template <class Net, class Optimizer, class Loader, class Loss>
History fit(Net& net, Optimizer& optimizer, Loader&& loader, const Loss& loss,
            const FitOptions& options) {
  return detail::run_epochs(detail::EagerSteps(net, optimizer, loss, options), optimizer, loader,
                            options);
}

/// The same for a classifier: the loss is cross entropy.
///
///     ebb::fit(net, opt, train, {.epochs = 3, .validate = [&] { return ebb::evaluate(net, test);
///     }});
template <class Net, class Optimizer, class Loader>
History fit(Net& net, Optimizer& optimizer, Loader&& loader, const FitOptions& options) {
  return fit(net, optimizer, loader, CrossEntropy{}, options);
}

}  // namespace ebb
