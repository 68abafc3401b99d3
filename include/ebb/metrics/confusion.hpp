/// \file
/// Counts of right and wrong answers, and the shares that follow from them.
#pragma once

#include <ebb/metrics/predictions.hpp>

#include <limits>
#include <span>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::metrics {

/// Counts of (true class, predicted class), and what follows from them. A ratio without a
/// denominator (the precision of a class never predicted) is nan, and printed as "-". What holds of
/// one class against the rest takes the class: nothing is positive unless the caller says so.
class ConfusionMatrix {
 public:
  /// Classes called "0", "1", ...; labels of batches that are `ignore_index` are passed over.
  /// \throws ValueError when there is no class.
  explicit ConfusionMatrix(Index classes, int ignore_index = -100)
      : ConfusionMatrix(numbered(classes), ignore_index) {}
  explicit ConfusionMatrix(std::vector<std::string> names, int ignore_index = -100)
      : names_(std::move(names)),
        counts_(names_.size() * names_.size()),
        ignore_index_(ignore_index) {
    if (names_.empty()) throw ValueError("ConfusionMatrix: it needs at least one class");
  }

  /// One sample. \throws ValueError when an index is no class.
  void add(Index truth, Index predicted) {
    for (const Index c : {truth, predicted})
      if (c < 0 || c >= classes())
        throw ValueError(message("ConfusionMatrix: ", c, " is no class; there are ", classes()));
    ++counts_[at(truth, predicted)];
  }
  /// Many samples. \throws ValueError when the lists differ in length, or an entry is no class.
  void add(std::span<const int> truth, std::span<const int> predicted) {
    if (truth.size() != predicted.size())
      throw ValueError(message("ConfusionMatrix: ", truth.size(), " true and ", predicted.size(),
                               " predicted classes; give one of each for every sample"));
    for (std::size_t i = 0; i < truth.size(); ++i) add(Index{truth[i]}, Index{predicted[i]});
  }

  /// A batch: scores (B, C, ...), the largest of which is the answer, and the true class of each
  /// (B, ...). A row of scores that are all nan counts as class 0.
  /// \throws ShapeError when C is not the number of classes.
  template <class T, int N, class At, class LabelsAt>
  void add(const Tensor<T, N, At>& logits, const Tensor<int, N - 1, LabelsAt>& labels) {
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
  /// The same for a variable's value.
  template <class Variable, class Labels>
  requires requires(const Variable& x) { x.tape(); }
  void add(const Variable& logits, const Labels& labels) { add(logits.value(), labels); }

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
  /// Those that neither are c nor are called so.
  Index true_negatives(Index c) const {
    return sum([c](Index t, Index p) { return t != c && p != c; });
  }

  double accuracy() const { return ratio(correct(), count()); }
  /// Of those called c, the share that is c; also positive predictive value.
  double precision(Index c) const { return ratio((*this)(c, c), predicted_count(c)); }
  /// Of those that are c, the share called c; also sensitivity.
  double recall(Index c) const { return ratio((*this)(c, c), true_count(c)); }
  double sensitivity(Index c) const { return recall(c); }
  /// Of those that are not c, the share not called c.
  double specificity(Index c) const { return ratio(true_negatives(c), count() - true_count(c)); }
  /// Of those not called c, the share that is not c.
  double negative_predictive_value(Index c) const {
    return ratio(true_negatives(c), count() - predicted_count(c));
  }
  /// Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN), also known as Dice.
  double f1(Index c) const { return ratio(2 * (*this)(c, c), true_count(c) + predicted_count(c)); }
  /// Mean F1 of the classes that occur, as truth or as an answer; nan when nothing was added.
  double macro_f1() const {
    return mean_over([this](Index c) { return true_count(c) + predicted_count(c) > 0; },
                     [this](Index c) { return f1(c); });
  }
  /// Mean recall of the classes that occur, what a guesser of the commonest class does badly at;
  /// nan when nothing was added.
  double balanced_accuracy() const {
    return mean_over([this](Index c) { return true_count(c) > 0; },
                     [this](Index c) { return recall(c); });
  }

  void reset() { counts_.assign(counts_.size(), 0); }

 private:
  static std::vector<std::string> numbered(Index classes) {
    if (classes < 1 || classes > 100000)
      throw ValueError(message("ConfusionMatrix: ", classes, " classes; use 1 to 100000"));
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
  template <class Which, class Figure>
  double mean_over(const Which& which, const Figure& figure) const {
    double total = 0;
    Index counted = 0;
    for (Index c = 0; c < classes(); ++c)
      if (which(c)) total += figure(c), ++counted;
    return counted > 0 ? total / static_cast<double>(counted)
                       : std::numeric_limits<double>::quiet_NaN();
  }

  std::vector<std::string> names_;
  std::vector<Index> counts_;
  int ignore_index_;
};

/// A table: a row per true class with its counts per predicted class, recall, precision and F1.
inline std::string to_string(const ConfusionMatrix& m) {
  const auto pad = [](const std::string& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
  };
  const auto percent = [](double share) {
    if (!(share == share)) return std::string("-");
    return ebb::detail::fixed(100 * share, 1);
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

}  // namespace ebb::metrics
