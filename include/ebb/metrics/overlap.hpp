/// \file
/// How far two masks cover each other: Dice and IoU.
#pragma once

#include <ebb/tensor/tensor.hpp>

namespace ebb::inline EBB_ABI::metrics {

namespace detail {

/// \throws ShapeError unless two masks have one shape.
template <int N>
void require_one_shape(const char* who, const Shape<N>& predicted, const Shape<N>& truth) {
  if (!(predicted == truth))
    throw ShapeError(message(who, ": the predicted mask has shape ", predicted,
                             " and the true one ", truth, "; they must be equal"));
}

}  // namespace detail

/// Counts of elements by whether they are foreground in the prediction and in the truth. Counts of
/// several masks add up (`+=`): figures of the sum weigh large structures more than the mean of
/// each mask's figures does; say which is reported.
struct Overlap {
  Index true_positives = 0, false_positives = 0, false_negatives = 0, true_negatives = 0;

  Overlap& operator+=(const Overlap& other) {
    true_positives += other.true_positives;
    false_positives += other.false_positives;
    false_negatives += other.false_negatives;
    true_negatives += other.true_negatives;
    return *this;
  }

  /// Whether there is any foreground, in the prediction or the truth. Without it there is nothing
  /// to overlap: some call that 1, some 0, some leave it out, and a mean over images depends on it.
  bool defined() const { return true_positives + false_positives + false_negatives > 0; }

  /// 2 TP / (2 TP + FP + FN): Dice, "Measures of the amount of ecologic association between
  /// species", Ecology 26 (1945); equal to F1. \throws ValueError when both masks are empty.
  double dice() const {
    require("dice");
    return 2 * number(true_positives) /
           (2 * number(true_positives) + number(false_positives + false_negatives));
  }
  /// TP / (TP + FP + FN), intersection over union: Jaccard 1912; Dice / (2 - Dice).
  /// \throws ValueError when both masks are empty.
  double iou() const {
    require("iou");
    return number(true_positives) / number(true_positives + false_positives + false_negatives);
  }

 private:
  static double number(Index n) { return static_cast<double>(n); }
  void require(const char* who) const {
    if (!defined())
      throw ValueError(message(who,
                               ": neither the prediction nor the truth has any foreground, so "
                               "it is not defined; ask `defined()`, and count such images apart"));
  }
};

/// Counts the elements of two masks (or maps of class numbers); those equal to `foreground` are
/// positive. \throws ShapeError when the shapes differ.
template <class T, int N>
Overlap overlap(const Tensor<T, N>& predicted, const Tensor<T, N>& truth,
                std::type_identity_t<T> foreground) {
  detail::require_one_shape("overlap", predicted.shape(), truth.shape());
  const Index n = truth.size();
  Overlap counts;
  for (Index i = 0; i < n; ++i) {
    const bool p = predicted.data()[i] == foreground, t = truth.data()[i] == foreground;
    counts.true_positives += p && t;
    counts.false_positives += p && !t;
    counts.false_negatives += !p && t;
  }
  counts.true_negatives =
      n - counts.true_positives - counts.false_positives - counts.false_negatives;
  return counts;
}

}  // namespace ebb::metrics
