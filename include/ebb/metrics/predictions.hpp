/// \file
/// Scores of classes beside the true class of each.
#pragma once

#include <ebb/tensor/tensor.hpp>

namespace ebb::inline EBB_ABI::metrics {

namespace detail {

/// Calls `f(scores, stride, label)` for every labelled position of logits (B, C, ...) with labels
/// (B, ...): the C scores lie `stride` elements apart.
/// \throws ShapeError when the shapes do not belong together, ValueError for a label that is no
/// class.
template <class T, int rank, class At, class LabelsAt, class F>
void each_prediction(const char* name, const Tensor<T, rank, At>& logits,
                     const Tensor<int, rank - 1, LabelsAt>& labels, int ignore_index, F&& f) {
  static_assert(rank >= 2, "ebb metrics: logits have at least two axes, (batch, classes, ...)");
  const Shape<rank> shape = logits.shape();
  Shape<rank - 1> expected{};
  expected[0] = shape[0];
  for (int axis = 2; axis < rank; ++axis) expected[axis - 1] = shape[axis];
  if (!(labels.shape() == expected))
    throw ShapeError(message(name, ": logits of shape ", shape, " need labels of shape ", expected,
                             ", one class index for each; these have shape ", labels.shape()));
  if (shape.size() == 0) return;

  const auto host_logits = to<Cpu>(logits);
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

}  // namespace ebb::metrics
