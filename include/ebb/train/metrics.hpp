/// \file
/// What a classifier got right: running means, accuracy and top-k, beside the confusion matrix
/// (metrics/confusion.hpp). Metrics gather over batches: `add` each one, read the value at the end.
#pragma once

#include <ebb/metrics/confusion.hpp>
#include <ebb/metrics/predictions.hpp>
#include <ebb/tape/var.hpp>

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
    metrics::detail::each_prediction(
        "TopK", ebb::value(logits), labels, ignore_index_,
        [&](const auto* score, Index stride, Index truth) {
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

using metrics::ConfusionMatrix;

}  // namespace ebb
