/// \file
/// What losses on the overlap of regions have in common.
#pragma once

#include <ebb/ops/elementwise/sigmoid.hpp>
#include <ebb/ops/loss/classes.hpp>
#include <ebb/ops/loss/pointwise.hpp>
#include <ebb/ops/loss/region_cpu.hpp>
#include <ebb/ops/normalisation/softmax.hpp>

namespace ebb::inline EBB_ABI {

/// Which regions a loss on overlap counts. Of no samples each such loss is nan, with and without
/// `batch`.
struct RegionOptions {
  /// Added above and below the fraction line, so that a class that neither occurs nor is predicted
  /// counts as right, and its gradient stays finite.
  double smooth = 1e-5;
  bool batch = false;       ///< one fraction for the whole batch, not the mean of one per sample
  int first_class = 0;      ///< 1 leaves class 0, the background, out of the mean
  int ignore_index = -100;  ///< labels of this value do not count
};

namespace detail {

/// Extents as (samples, classes, elements).
template <int N>
Shape<3> region_shape(const Shape<N>& shape) {
  return {shape[0], shape[1], shape.stride(1)};
}

template <class X>
void check_region(const char* loss, const X& logits, const RegionOptions& options) {
  if (!(options.smooth >= 0))
    throw ValueError(message(loss, ": smooth is ", options.smooth, "; it must not be negative"));
  if (logits.shape()[0] > 0 && logits.shape().size() == 0)
    throw ShapeError(message(loss, ": logits of shape ", logits.shape(),
                             " have samples without elements, so there are no regions"));
  if (options.first_class < 0 || options.first_class >= logits.shape()[1])
    throw ValueError(message(loss, ": first_class is ", options.first_class,
                             ", but logits of shape ", logits.shape(), " have ", logits.shape()[1],
                             " classes on axis 1"));
}

/// The loss of probabilities; `sum(p, sums)` and `grad(slopes, dy, dp)` are its kernels on the true
/// regions.
template <Operand P, class Term, class Sum, class Grad>
auto region_of(const char* name, const P& p, bool batch, const Term& term, const Sum& sum,
               const Grad& grad) {
  using T = scalar_of<P>;
  using Device = device_of<P>;
  const Shape<3> shape = region_shape(p.shape());
  if (shape[0] == 0) return track_empty(name, loss_of_nothing<T, Device>(Reduction::mean), p);
  Tensor<T, 3, Device> sums({shape[0], shape[1], 3}), slopes({batch ? 1 : shape[0], shape[1], 2});
  Tensor<T, 0, Device> y(Shape<0>{});
  sum(View<const T, 3>{value(p).data(), shape}, sums.mut());
  region_loss(Device{}, term, shape[2], sums.mut(), slopes.mut(), y.mut());
  return track(
      name, y,
      [shape, slopes, grad, dp = sink(p)](const auto& dy) {
        if (!dp) return;
        const auto into = dp.into();
        grad(slopes.view(), dy.view(), Into<T, 3>{into.data, shape, into.add});
      },
      p);
}

/// `term(classes are masks)` makes the term. Logits of (n, classes, ...) with class numbers (n,
/// ...) go through a softmax, logits of any shape (n, channels, ...) with a mask of that shape
/// through a sigmoid.
template <class MakeTerm, Operand X, class Target>
auto region_loss_of(const char* name, const X& logits, const Target& target,
                    const RegionOptions& options, const MakeTerm& make_term) {
  using T = scalar_of<X>;
  using Device = device_of<X>;
  static_assert(rank_of<X> >= 2,
                "ebb: a loss on overlap takes logits of rank 2 or more, (batch, classes, ...)");
  static_assert(is_tensor<Target>,
                "ebb: the target of a loss on overlap is a plain tensor: class numbers, a "
                "Tensor<int, N - 1>, or a mask with the scalar type and the shape of the logits");
  check_region(name, logits, options);
  if constexpr (is_tensor<Target> && std::is_same_v<typename Target::scalar, int>) {
    check_label_types<X, Target>();
    check_labels(name, value(logits), target, Tensor<T, 1, Device>{}, options.ignore_index,
                 Reduction::mean);
    const int ignored = options.ignore_index;
    const Shape<2> lines{logits.shape()[0], logits.shape().stride(1)};
    return region_of(
        name, softmax(logits, 1), options.batch, make_term(false),
        [&](View<const T, 3> p, View<T, 3> sums) {
          region_sums(Device{}, ignored, p, View<const int, 2>{target.data(), lines}, sums);
        },
        [target, lines, ignored](View<const T, 3> slopes, View<const T, 0> dy, Into<T, 3> dp) {
          region_backward(Device{}, ignored, View<const int, 2>{target.data(), lines}, slopes, dy,
                          dp);
        });
  } else if constexpr (is_tensor<Target>) {
    check_target(name, logits, target);
    const Shape<3> shape = region_shape(logits.shape());
    return region_of(
        name, sigmoid(logits), options.batch, make_term(true),
        [&](View<const T, 3> p, View<T, 3> sums) {
          region_sums(Device{}, p, View<const T, 3>{target.data(), shape}, sums);
        },
        [target, shape](View<const T, 3> slopes, View<const T, 0> dy, Into<T, 3> dp) {
          region_backward(Device{}, View<const T, 3>{target.data(), shape}, slopes, dy, dp);
        });
  }
}

/// The same where logits are dual numbers, and a mask of plain ones is a constant.
template <class MakeTerm, Operand X, class Target>
requires is_tensor<Target> && stands_for < scalar_of<X>,
typename Target::scalar > auto region_loss_of(const char* name, const X& logits,
                                              const Target& target, const RegionOptions& options,
                                              const MakeTerm& make_term) {
  return region_loss_of(name, logits, lifted<scalar_of<X>>(target), options, make_term);
}

}  // namespace detail

}  // namespace ebb
