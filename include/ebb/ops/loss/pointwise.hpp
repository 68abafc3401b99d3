/// \file
/// Losses that are a sum of one term per element: one kernel forward and one backward serve them.
#pragma once

#include <ebb/ops/loss/pointwise_cpu.hpp>
#include <ebb/ops/loss/reduction.hpp>
#include <ebb/tape/lift.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

namespace detail {

/// \throws ShapeError unless input and target have one shape.
template <Operand X, Operand Y>
void check_target(const char* loss, const X& input, const Y& target) {
  static_assert(std::is_same_v<scalar_of<X>, scalar_of<Y>>,
                "ebb: the target of this loss must have the scalar type of its input (both float, "
                "say); for class numbers use cross_entropy");
  static_assert(std::is_same_v<device_of<X>, device_of<Y>>,
                "ebb: the input and the target of a loss must be on one device; copy one of them "
                "with ebb::to<Device>(x)");
  static_assert(
      rank_of<X> == rank_of<Y>,
      "ebb: the target of this loss must have the rank of its input; reshape one of them");
  if constexpr (rank_of<X> == rank_of<Y>)
    if (!(input.shape() == target.shape()))
      throw ShapeError(message(loss, ": the input has shape ", input.shape(), " and the target ",
                               target.shape(), "; they must be equal (losses do not broadcast)"));
}

}  // namespace detail

/// Makes a scalar function of an input and a target a loss. Derive from it as from `Binary`
/// (ops/elementwise/broadcast.hpp), but the two shapes must be equal, and the terms are reduced to
/// a scalar. Gradients flow to the target as well where it is a variable (`detach` it to stop
/// them).
template <class F>
struct PointwiseLoss {
  static constexpr Index cost = 2;
  /// What every slope is multiplied with besides. The kernels take it in where they divide by the
  /// number of elements: twice a large difference may be beyond T where the gradient is not.
  static constexpr int slope_gain = 1;

  /// A plain target of dual numbers is a constant (tape/lift.hpp).
  template <Operand X, Operand Y>
  requires MixesDual<X, Y>
  auto operator()(const X& input, const Y& target, Reduction reduction = Reduction::mean) const {
    return with_lifted([&](const auto&... both) { return (*this)(both..., reduction); }, input,
                       target);
  }

  template <Operand X, Operand Y>
  auto operator()(const X& input, const Y& target, Reduction reduction = Reduction::mean) const {
    detail::check_target(F::name, input, target);
    using T = scalar_of<X>;
    using Device = device_of<X>;
    if (input.size() == 0)
      return track_empty(F::name, detail::loss_of_nothing<T, Device>(reduction), input, target);
    const F& f = static_cast<const F&>(*this);
    const T divisor = reduction == Reduction::mean ? T(input.size()) : T(1);
    Tensor<T, 0, Device> y(Shape<0>{});
    pointwise_loss(Device{}, f, divisor, value(input).view(), value(target).view(), y.mut());
    return track(
        F::name, y,
        [f, divisor, x = value(input), t = value(target), dx = sink(input),
         dt = sink(target)](const auto& dy) {
          if (dx)
            pointwise_loss_backward<kernel::Side::a>(Device{}, f, divisor, x.view(), t.view(),
                                                     dy.view(), dx.into());
          if (dt)
            pointwise_loss_backward<kernel::Side::b>(Device{}, f, divisor, x.view(), t.view(),
                                                     dy.view(), dt.into());
        },
        input, target);
  }
};

}  // namespace ebb
