/// \file
/// What a classifier got right: running means, accuracy, top-k and the confusion matrix. Metrics
/// gather over batches: `add` each one, read the value at the end.
#pragma once

#include <ebb/metrics/confusion.hpp>
#include <ebb/tape/var.hpp>

#include <string>
#include <vector>

namespace ebb::inline EBB_ABI {

/// The mean of numbers that stand for different counts: the loss of batches, say, the last of which
/// is smaller. Adds in double, in the order of the calls.
class RunningMean {
 public:
  /// `value` is the mean of `count` samples; a mean of none, which is nan, adds nothing.
  void add(double value, Index count = 1) {
    if (count == 0) return;
    sum_ += value * static_cast<double>(count);
    count_ += count;
  }
  /// The mean so far; 0 when nothing was added.
  double value() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0.0; }
  Index count() const { return count_; }
  void reset() { *this = {}; }

 private:
  double sum_ = 0;
  Index count_ = 0;
};

namespace detail {

/// Calls `f(scores, stride, label)` for every labelled position of logits (B, C, ...) with labels
/// (B, ...): the C scores lie `stride` elements apart.
/// \throws ShapeError when the shapes do not belong together, ValueError for a label that is no
/// class.
template <Operand X, class Device, class F>
void each_prediction(const char* name, const X& logits,
                     const Tensor<int, rank_of<X> - 1, Device>& labels, int ignore_index, F&& f) {
  constexpr int rank = rank_of<X>;
  static_assert(rank >= 2, "ebb metrics: logits have at least two axes, (batch, classes, ...)");
  const Shape<rank> shape = logits.shape();
  Shape<rank - 1> expected{};
  expected[0] = shape[0];
  for (int axis = 2; axis < rank; ++axis) expected[axis - 1] = shape[axis];
  if (!(labels.shape() == expected))
    throw ShapeError(message(name, ": logits of shape ", shape, " need labels of shape ", expected,
                             ", one class index for each; these have shape ", labels.shape()));
  if (shape.size() == 0) return;

  const auto host_logits = to<Cpu>(value(logits));
  const auto host_labels = to<Cpu>(labels);
  const auto* scores = host_logits.data();
  const int* label = host_labels.data();
  const Index classes = shape[1], inner = shape.stride(1);
  for (Index b = 0; b < shape[0]; ++b)
    for (Index i = 0; i < inner; ++i) {
      const int truth = label[b * inner + i];
      if (truth == ignore_index) continue;
      if (truth < 0 || truth >= classes)
        throw ValueError(message(name, ": label ", truth, " of sample ", b, " is no class; with ",
                                 classes, " classes labels run from 0 to ", classes - 1));
      f(scores + b * classes * inner + i, inner, truth);
    }
}

}  // namespace detail

/// How often the true class is among the k with the highest scores. Of equal scores the lower class
/// counts as higher, as in `argmax`; a class whose score is nan is never right.
class TopK {
 public:
  /// \throws ValueError when k is below 1.
  explicit TopK(Index k, int ignore_index = -100) : k_(k), ignore_index_(ignore_index) {
    if (k < 1) throw ValueError(message("TopK: k is ", k, "; it counts classes, so use 1 or more"));
  }

  /// Logits (B, C, ...) or any other scores, and the class index of each: (B, ...).
  template <Operand X, class Device>
  void add(const X& logits, const Tensor<int, rank_of<X> - 1, Device>& labels) {
    const Index classes = logits.extent(1);
    detail::each_prediction(
        "TopK", logits, labels, ignore_index_, [&](const auto* score, Index stride, Index truth) {
          const auto mine = score[truth * stride];
          Index ahead = 0;  // written with negations, so that comparisons with nan count against us
          for (Index c = 0; c < truth; ++c) ahead += !(score[c * stride] < mine);
          for (Index c = truth + 1; c < classes; ++c) ahead += !(score[c * stride] <= mine);
          if (mine == mine && ahead < k_) ++correct_;
          ++count_;
        });
  }

  /// Share of right ones, in [0, 1]; 0 when nothing was added.
  double value() const {
    return count_ > 0 ? static_cast<double>(correct_) / static_cast<double>(count_) : 0.0;
  }
  Index correct() const { return correct_; }
  Index count() const { return count_; }
  void reset() { correct_ = count_ = 0; }

 private:
  Index k_;
  int ignore_index_;
  Index correct_ = 0, count_ = 0;
};

/// How often the class with the highest score is the true one.
class Accuracy : public TopK {
 public:
  explicit Accuracy(int ignore_index = -100) : TopK(1, ignore_index) {}
};

/// `metrics::ConfusionMatrix` that also takes batches of scores.
class ConfusionMatrix : public metrics::ConfusionMatrix {
 public:
  /// Classes called "0", "1", ... \throws ValueError when there is none.
  explicit ConfusionMatrix(Index classes, int ignore_index = -100)
      : metrics::ConfusionMatrix(classes), ignore_index_(ignore_index) {}
  explicit ConfusionMatrix(std::vector<std::string> names, int ignore_index = -100)
      : metrics::ConfusionMatrix(std::move(names)), ignore_index_(ignore_index) {}

  using metrics::ConfusionMatrix::add;
  /// Logits (B, C, ...) and the class index of each: (B, ...). A row of scores that are all nan
  /// counts as class 0.
  /// \throws ShapeError when C is not the number of classes.
  template <Operand X, class Device>
  void add(const X& logits, const Tensor<int, rank_of<X> - 1, Device>& labels) {
    if (logits.extent(1) != classes())
      throw ShapeError(message("ConfusionMatrix: it has ", classes(),
                               " classes, but logits of shape ", logits.shape(), " have ",
                               logits.extent(1)));
    detail::each_prediction("ConfusionMatrix", logits, labels, ignore_index_,
                            [&](const auto* score, Index stride, Index truth) {
                              Index best = 0;
                              for (Index c = 1; c < classes(); ++c)
                                if (score[c * stride] > score[best * stride]) best = c;
                              add(truth, best);
                            });
  }

 private:
  int ignore_index_;
};

}  // namespace ebb
