/// \file
/// What a classifier got right: running means, accuracy, top-k and the confusion matrix. Metrics
/// gather over batches: `add` each one, read the value at the end.
#pragma once

#include <ebb/tape/var.hpp>

#include <string>
#include <vector>

namespace ebb {

/// The mean of numbers that stand for different counts: the loss of batches, say, the last of which
/// is smaller. Adds in double, in the order of the calls.
class RunningMean {
 public:
  /// `value` is the mean of `count` samples.
  void add(double value, Index count = 1) {
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

/// Counts of (true class, predicted class), and what follows from them. A ratio without a
/// denominator (the precision of a class never predicted) is nan, and printed as "-".
class ConfusionMatrix {
 public:
  /// Classes called "0", "1", ... \throws ValueError when there is none.
  explicit ConfusionMatrix(Index classes, int ignore_index = -100)
      : ConfusionMatrix(numbered(classes), ignore_index) {}
  explicit ConfusionMatrix(std::vector<std::string> names, int ignore_index = -100)
      : names_(std::move(names)),
        ignore_index_(ignore_index),
        counts_(names_.size() * names_.size()) {
    if (names_.empty()) throw ValueError("ConfusionMatrix: it needs at least one class");
  }

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

  /// One sample. \throws ValueError when an index is no class.
  void add(Index truth, Index predicted) {
    for (const Index c : {truth, predicted})
      if (c < 0 || c >= classes())
        throw ValueError(message("ConfusionMatrix: ", c, " is no class; there are ", classes()));
    ++counts_[at(truth, predicted)];
  }

  Index classes() const { return static_cast<Index>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  Index operator()(Index truth, Index predicted) const { return counts_[at(truth, predicted)]; }

  Index count() const {
    return sum([](Index, Index) { return true; });
  }
  Index correct() const {
    return sum([](Index t, Index p) { return t == p; });
  }
  Index true_count(Index c) const {
    return sum([c](Index t, Index) { return t == c; });
  }
  Index predicted_count(Index c) const {
    return sum([c](Index, Index p) { return p == c; });
  }

  double accuracy() const { return ratio(correct(), count()); }
  /// Of those called c, the share that is c.
  double precision(Index c) const { return ratio((*this)(c, c), predicted_count(c)); }
  /// Of those that are c, the share called c.
  double recall(Index c) const { return ratio((*this)(c, c), true_count(c)); }
  /// Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN), also known as Dice.
  double f1(Index c) const { return ratio(2 * (*this)(c, c), true_count(c) + predicted_count(c)); }
  /// Mean recall of the classes that occur: what a guesser of the commonest class does badly at.
  double balanced_accuracy() const {
    RunningMean mean;
    for (Index c = 0; c < classes(); ++c)
      if (true_count(c) > 0) mean.add(recall(c));
    return mean.value();
  }

  void reset() { counts_.assign(counts_.size(), 0); }

 private:
  static std::vector<std::string> numbered(Index classes) {
    if (classes < 1)
      throw ValueError(message("ConfusionMatrix: ", classes, " classes; it needs at least one"));
    std::vector<std::string> names;
    for (Index c = 0; c < classes; ++c) names.push_back(std::to_string(c));
    return names;
  }
  static double ratio(Index part, Index whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole)
                     : std::numeric_limits<double>::quiet_NaN();
  }
  std::size_t at(Index truth, Index predicted) const {
    return static_cast<std::size_t>(truth * classes() + predicted);
  }
  template <class Which>
  Index sum(Which&& which) const {
    Index total = 0;
    for (Index t = 0; t < classes(); ++t)
      for (Index p = 0; p < classes(); ++p)
        if (which(t, p)) total += (*this)(t, p);
    return total;
  }

  std::vector<std::string> names_;
  int ignore_index_;
  std::vector<Index> counts_;
};

/// A table: a row per true class with its counts per predicted class, recall, precision and F1.
inline std::string to_string(const ConfusionMatrix& m) {
  const auto pad = [](const std::string& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
  };
  const auto percent = [](double share) {
    if (!(share == share)) return std::string("-");
    char digits[16];
    std::snprintf(digits, sizeof digits, "%.1f", 100 * share);
    return std::string(digits);
  };
  std::size_t first = 4, width = 4;
  for (Index t = 0; t < m.classes(); ++t) {
    const std::string& name = m.names()[static_cast<std::size_t>(t)];
    first = first < name.size() ? name.size() : first;
    width = width < name.size() ? name.size() : width;
    for (Index p = 0; p < m.classes(); ++p)
      width = width < std::to_string(m(t, p)).size() ? std::to_string(m(t, p)).size() : width;
  }
  std::string text = pad("true", first) + " |";
  for (const std::string& name : m.names()) text += " " + pad(name, width);
  text += " | recall  precision  F1\n";
  for (Index t = 0; t < m.classes(); ++t) {
    text += pad(m.names()[static_cast<std::size_t>(t)], first) + " |";
    for (Index p = 0; p < m.classes(); ++p)
      text += " " + pad(m(t, p) > 0 ? std::to_string(m(t, p)) : ".", width);
    text += " | " + pad(percent(m.recall(t)), 6) + pad(percent(m.precision(t)), 9) +
            pad(percent(m.f1(t)), 8) + "\n";
  }
  return text;
}

}  // namespace ebb
