/// \file
/// The negative log likelihood of class numbers.
#pragma once

#include <ebb/ops/loss/classes.hpp>
#include <ebb/ops/loss/nll_cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

template <class T, class Device = Cpu>
struct NllOptions {
  Tensor<T, 1, Device> weights = {};  ///< one per class; undefined: all 1
  int ignore_index = -100;            ///< labels of this value do not count
  Reduction reduction = Reduction::mean;
};

/// -w_l x_l for label l, where x are log-probabilities (`log_softmax` along axis 1), averaged with
/// the weights w_l or added up. `cross_entropy` does this and the log-softmax in one.
/// dx_l = -w_l dy / sum w, and 0 for the other classes.
///
/// Shapes: input (N, C, ...) of rank >= 2, labels (N, ...) of int; to a scalar.
/// \throws ShapeError when the shapes do not belong together, or the weights have another length.
/// \throws ValueError when a label is neither a class nor `ignore_index`, and when a mean is wanted
/// but no label counts (where PyTorch yields nan).
template <Operand X, class Labels>
auto nll_loss(const X& log_probabilities, const Labels& labels,
              const NllOptions<scalar_of<X>, device_of<X>>& options = {}) {
  constexpr const char* name = "nll_loss";
  using T = scalar_of<X>;
  using Device = device_of<X>;
  detail::check_label_types<X, Labels>();
  detail::check_labels(name, value(log_probabilities), labels, options.weights,
                       options.ignore_index, options.reduction);

  if (labels.size() == 0)
    return track_empty(name, detail::loss_of_nothing<T, Device>(options.reduction),
                       log_probabilities);
  Tensor<T, 0, Device> norm(Shape<0>{}), y(Shape<0>{});
  const auto terms = [options] { return detail::class_terms(options, 0.0); };
  nll_forward(Device{}, terms(), value(log_probabilities).view(), labels.view(), norm.mut(),
              y.mut());
  return track(
      name, y,
      [terms, labels, norm, dx = sink(log_probabilities)](const auto& dy) {
        if (dx) nll_backward(Device{}, terms(), labels.view(), norm.view(), dy.view(), dx.into());
      },
      log_probabilities);
}

}  // namespace ebb
