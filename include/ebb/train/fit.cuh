/// \file
/// `fit` on the GPU with captured steps. Include it beside <ebb/cuda.cuh>.
#pragma once

#include <ebb/train/capture.cuh>
#include <ebb/train/cuda_tally.cuh>
#include <ebb/train/fit.hpp>

#include <vector>

namespace ebb::inline EBB_ABI {

namespace detail {

/// The step of `fit_captured`, for the GPU alone: its results go to a tally there.
template <class Net, class Optimizer, class Loss>
struct TalliedStep {
  Net& net;
  Optimizer& optimizer;
  const Loss& loss;
  const FitOptions& options;
  CudaTally& tally;

  template <class X, class Y>
  auto operator()(const X& x, const Y& y) const {
    Tape tape;
    const auto scores = net(tape.input(x));
    const auto objective = loss(scores, y);
    tally.add(objective.value(), y.extent(0));
    optimizer.zero_grad();
    backward(objective);
    if (options.clip_norm > 0) optim::clip_grad_norm<Cuda>(net, options.clip_norm);
    if (options.clip_value > 0) optim::clip_grad_value(net, options.clip_value);
    if constexpr (requires { optimizer.step_if_finite(tally.loss_sum()); })
      optimizer.step_if_finite(tally.loss_sum());
    else
      optimizer.step();
    if constexpr (is_labels<std::remove_cvref_t<decltype(scores)>, Y>)
      tally.add_scores(value(scores), y);
    return objective.value();
  }
};

/// What `run_epochs` asks for. One step is captured for each shape of batches: as a rule there are
/// two, that of a whole batch and that of the smaller last one.
template <class Step, class X, class Y>
class CapturedSteps {
 public:
  CapturedSteps(const Step& step) : step_(step) {}

  void begin() { step_.tally.reset(); }

  template <class BatchX, class BatchY>
  void operator()(const BatchX& x, const BatchY& y, StepFacts& at) {
    at.loss = std::numeric_limits<double>::quiet_NaN();
    for (Known& known : known_)
      if (known.x == x.shape() && known.y == y.shape()) return static_cast<void>(known.step(x, y));
    known_.push_back({x.shape(), y.shape(), capture(step_, x, y)});
    known_.back().step(x, y);
  }

  /// \throws NumericError when the loss of a step was not finite.
  Means so_far(const StepFacts& at) const {
    const CudaTally::Totals totals = step_.tally.read();
    if (totals.bad_step > 0)
      throw NumericError(message(
          "fit_captured: the loss is ", totals.bad_loss, " at step ", totals.bad_step, " of epoch ",
          at.epoch,
          ". A smaller learning rate or a bound on the gradients (clip_norm) may help; fit names "
          "the operation to blame"));
    Means means{.loss = totals.loss(), .samples = static_cast<Index>(totals.samples)};
    if (totals.labels > 0) means.accuracy = totals.accuracy();
    return means;
  }

 private:
  struct Known {
    Shape<X::rank> x;
    Shape<Y::rank> y;
    CapturedStep<Step, X, Y> step;
  };

  Step step_;
  std::vector<Known> known_;
};

/// The steps for the batches of a loader, as tensors on Cuda whatever its own are on.
template <class Step, class Loader>
auto captured_steps(const Step& step, Loader& loader) {
  const auto types = [](const auto& batch) {
    const auto& [x, y] = batch;
    using X = std::remove_cvref_t<decltype(x)>;
    using Y = std::remove_cvref_t<decltype(y)>;
    return std::pair<Tensor<typename X::scalar, X::rank, Cuda>,
                     Tensor<typename Y::scalar, Y::rank, Cuda>>();
  };
  using Types = decltype(types(*loader.begin()));
  return CapturedSteps<Step, typename Types::first_type, typename Types::second_type>(step);
}

}  // namespace detail

/// `fit` for a network on the GPU: the step is captured (`ebb::capture`), and the host never waits
/// for it. Loss and accuracy are added up in device memory, and read when the progress bar is drawn
/// and at the end of an epoch.
///
///     data::Loader train(images, {.batch_size = 64, .shuffle = true, .resident = true},
///                        Cuda{});
///     const auto history = ebb::fit_captured(net, opt, train, ebb::CrossEntropy{}, {.epochs = 3});
///
/// The weights are, to the last bit, those that `fit` would have trained. Batches are of the GPU or
/// of the host; for each shape of theirs, such as that of a smaller last one, a step is captured,
/// which keeps its memory until the end. `net` and `loss` may do in a step what `capture` allows.
/// The loss that `on_step` is told is nan; a schedule may move there.
/// \throws ValueError when an epoch has no batches, or a batch no samples; NumericError when the
/// loss of a step was nan or infinite, at the next reading. From that step on weights stay as they
/// were, if the optimizer has `step_if_finite`.
template <class Net, class Optimizer, class Loader, class Loss>
History fit_captured(Net& net, Optimizer& optimizer, Loader&& loader, const Loss& loss,
                     const FitOptions& options) {
  CudaTally tally;
  const detail::TalliedStep<Net, Optimizer, Loss> step{net, optimizer, loss, options, tally};
  return detail::run_epochs(detail::captured_steps(step, loader), optimizer, loader, options);
}

/// The same for a classifier: the loss is cross entropy.
template <class Net, class Optimizer, class Loader>
History fit_captured(Net& net, Optimizer& optimizer, Loader&& loader, const FitOptions& options) {
  return fit_captured(net, optimizer, loader, CrossEntropy{}, options);
}

}  // namespace ebb
