/// \file
/// Cross entropy between logits and class numbers.
#pragma once

#include <ebb/ops/loss/classes.hpp>
#include <ebb/ops/loss/cross_entropy_cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

template <class T, class Device = Cpu>
struct CrossEntropyOptions {
  Tensor<T, 1, Device> weights = {};  ///< one per class; undefined: all 1
  int ignore_index = -100;            ///< labels of this value do not count
  double label_smoothing = 0;  ///< share of the target spread evenly over all classes, in [0, 1]
  Reduction reduction = Reduction::mean;
};

/// The loss of a classifier: log-softmax and negative log likelihood in one,
///
///     -w_l log softmax(logits)_l    for label l,
///
/// averaged with the weights w_l (PyTorch's mean), or added up. With label smoothing s the label
/// counts 1 - s, and every class s / C more (Szegedy et al., "Rethinking the Inception architecture
/// for computer vision", CVPR 2016). dlogits = w_l (softmax(logits) - onehot(l)) dy / sum w.
///
/// **It takes logits: the last layer's outputs as they are, with no softmax before.** A softmax in
/// front is a well-known mistake of tutorials. Nothing fails, which is what makes it last: the loss
/// then sees numbers between 0 and 1 as if they were logits, cannot fall below log(1 + (C - 1) / e)
/// (1.46 for ten classes, however sure and right the network is), and its gradient is multiplied by
/// the slope of the softmax, which vanishes where the network is confidently wrong: it learns
/// slowly and stops early. `argmax` needs no softmax either; for probabilities to show, apply
/// `softmax` to the logits after the loss.
///
/// Saved for backward: the logits and labels it was given, and two numbers per line.
///
/// Shapes: logits (N, C, ...) of rank >= 2, labels (N, ...) of int; to a scalar.
/// \throws ShapeError when the shapes do not belong together, or the weights have another length.
/// \throws ValueError when a label is neither a class nor `ignore_index`, when the smoothing is
/// outside [0, 1], and when a mean is wanted but every label is ignored (where PyTorch yields nan).
/// The mean of an empty batch is nan, its sum 0.
/// Labels that count, but whose weights are all zero, have a mean of 0 / 0: nan, and so is the
/// gradient, as PyTorch has it. A training loop says so; leave out such a batch, or take the sum.
template <Operand X, class Labels>
auto cross_entropy(const X& logits, const Labels& labels,
                   const CrossEntropyOptions<scalar_of<X>, device_of<X>>& options = {}) {
  constexpr const char* name = "cross_entropy";
  using T = scalar_of<X>;
  using Device = device_of<X>;
  detail::check_label_types<X, Labels>();
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    throw ValueError(
        message(name, ": label_smoothing must be in [0, 1], not ", options.label_smoothing));
  detail::check_labels(name, value(logits), labels, options.weights, options.ignore_index,
                       options.reduction);

  if (labels.size() == 0)
    return track_empty(name, detail::loss_of_nothing<T, Device>(options.reduction), logits);
  const auto terms = [options] { return detail::class_terms(options, options.label_smoothing); };
  Tensor<T, 2, Device> log_sum(Shape<2>{2, labels.size()});
  Tensor<T, 0, Device> norm(Shape<0>{}), y(Shape<0>{});
  cross_entropy_forward(Device{}, terms(), value(logits).view(), labels.view(), log_sum.mut(),
                        norm.mut(), y.mut());
  return track(
      name, y,
      [terms, x = value(logits), labels, log_sum, norm, dx = sink(logits)](const auto& dy) {
        if (dx)
          cross_entropy_backward(Device{}, terms(), x.view(), labels.view(), log_sum.view(),
                                 norm.view(), dy.view(), dx.into());
      },
      logits);
}

}  // namespace ebb
