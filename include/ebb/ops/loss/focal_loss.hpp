/// \file
/// The focal loss: cross entropy that cares less for what is right already.
#pragma once

#include <ebb/ops/elementwise/sigmoid.hpp>
#include <ebb/ops/loss/bce_with_logits.hpp>
#include <ebb/ops/loss/classes.hpp>
#include <ebb/ops/loss/focal_cpu.hpp>
#include <ebb/ops/normalisation/log_softmax.hpp>

namespace ebb::inline EBB_ABI {

template <class T, class Device = Cpu>
struct FocalOptions {
  double gamma = 2;                   ///< 0 is cross entropy
  Tensor<T, 1, Device> weights = {};  ///< one per class, alpha in the paper; undefined: all 1
  int ignore_index = -100;            ///< labels of this value do not count
  Reduction reduction = Reduction::mean;
};

/// The mean over the labels that count of -w_l (1 - p_l)^gamma log p_l, with p = softmax(logits)
/// along axis 1 and label l. The mean divides by the number of labels, not by their weights.
/// Lin, Goyal, Girshick, He & Dollar, "Focal loss for dense object detection", ICCV 2017.
///
/// Shapes: logits (N, C, ...) of rank >= 2, labels (N, ...) of int; to a scalar.
/// \throws ShapeError and ValueError as `cross_entropy`; ValueError when gamma is negative.
template <Operand X, class Labels>
auto focal_loss(const X& logits, const Labels& labels,
                const FocalOptions<scalar_of<X>, device_of<X>>& options = {}) {
  constexpr const char* name = "focal_loss";
  using T = scalar_of<X>;
  using Device = device_of<X>;
  detail::check_label_types<X, Labels>();
  if (!(options.gamma >= 0))
    throw ValueError(message(name, ": gamma is ", options.gamma, "; it must not be negative"));
  detail::check_labels(name, value(logits), labels, options.weights, options.ignore_index,
                       options.reduction);
  const auto x = log_softmax(logits, 1);
  const Shape<3> shape{x.shape()[0], x.shape()[1], x.shape().stride(1)};
  const Shape<2> lines{shape[0], shape[2]};
  const kernel::FocalTerm term{options.gamma};
  const auto terms = [options] { return detail::class_terms(options, 0.0); };
  if (labels.size() == 0)
    return track_empty(name, detail::loss_of_nothing<T, Device>(options.reduction), x);
  Tensor<T, 0, Device> norm(Shape<0>{}), y(Shape<0>{});
  focal_forward(Device{}, term, terms(), View<const T, 3>{value(x).data(), shape},
                View<const int, 2>{labels.data(), lines}, norm.mut(), y.mut());
  return track(
      name, y,
      [shape, lines, term, terms, labels, norm, x = value(x), dx = sink(x)](const auto& dy) {
        if (!dx) return;
        const auto into = dx.into();
        focal_backward(Device{}, term, terms(), View<const T, 3>{x.data(), shape},
                       View<const int, 2>{labels.data(), lines}, norm.view(), dy.view(),
                       Into<T, 3>{into.data, shape, into.add});
      },
      x);
}

/// The focal loss of logits x against a mask t of their shape, from 0 to 1: terms
/// a_t (1 - p_t)^gamma times the binary cross entropy, where p_t = p t + (1 - p) (1 - t) is the
/// probability of what is true, p = sigmoid(x), and a_t = alpha t + (1 - alpha) (1 - t).
/// Alpha = 1/2 treats both kinds alike (and halves the loss); the paper's is 1/4 for detection,
/// where gamma already has cut down the many easy negatives.
///
/// Shapes: logits and mask alike, any rank; to a scalar.
/// \throws ShapeError when they differ, or are empty and a mean is wanted.
/// \throws ValueError when gamma is negative, or alpha is not in [0, 1].
struct BinaryFocalLoss : PointwiseLoss<BinaryFocalLoss> {
  static constexpr const char* name = "binary_focal_loss";
  static constexpr Index cost = 32;

  constexpr explicit BinaryFocalLoss(double gamma = 2, double alpha = 0.25)
      : gamma_(gamma), alpha_(alpha) {
    if (!(gamma >= 0 && alpha >= 0 && alpha <= 1))
      throw ValueError(message("binary_focal_loss: gamma is ", gamma, " and alpha ", alpha,
                               "; gamma must not be negative, and alpha lies in [0, 1]"));
  }

  template <class T>
  EBB_HD T value(T x, T t) const {
    return alpha(t) * kernel::focal_power(wrong(sigmoid(x), sigmoid(-x), t), gamma_) *
           entropy(x, t);
  }
  template <class T>
  EBB_HD T slope_a(T x, T t) const {
    const T p = sigmoid(x), q = sigmoid(-x), u = wrong(p, q, t);
    return alpha(t) *
           (kernel::focal_power_slope(u, gamma_) * (p * q * (T(1) - T(2) * t)) * entropy(x, t) +
            kernel::focal_power(u, gamma_) * (p * (T(1) - t) - q * t));
  }
  template <class T>
  EBB_HD T slope_b(T x, T t) const {
    const T p = sigmoid(x), q = sigmoid(-x), u = wrong(p, q, t), a = alpha(t);
    const T slope_alpha = T(2 * alpha_ - 1);
    return kernel::focal_power(u, gamma_) * (slope_alpha * entropy(x, t) - a * x) +
           a * kernel::focal_power_slope(u, gamma_) * (q - p) * entropy(x, t);
  }

  using PointwiseLoss::operator();

 private:
  template <class T>
  EBB_HD T alpha(T t) const {
    return T(alpha_) * t + T(1 - alpha_) * (T(1) - t);
  }
  /// 1 - p_t, without taking a number from one.
  template <class T>
  EBB_HD static T wrong(T p, T q, T t) {
    return p * (T(1) - t) + q * t;
  }
  template <class T>
  EBB_HD static T sigmoid(T x) {
    return Sigmoid{}.value(x);
  }
  template <class T>
  EBB_HD static T entropy(T x, T t) {
    return kernel::BinaryTerm{}.value(x, t, T(1));
  }

  double gamma_, alpha_;
};
inline constexpr BinaryFocalLoss binary_focal_loss;

}  // namespace ebb
