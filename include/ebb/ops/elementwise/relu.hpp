/// \file
/// The rectified linear unit.
#pragma once

#include <ebb/ops/elementwise/activation.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = max(x, 0); dx = dy where y > 0, so that only the output is kept. Not-a-number passes
/// through, forward and backward. Nair & Hinton, "Rectified linear units improve restricted
/// Boltzmann machines", ICML 2010.
struct Relu : Elementwise<Relu> {
  static constexpr const char* name = "relu";
  template <class T>
  EBB_HD T value(T x) const {
    return x < T(0) ? T(0) : x;
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return y <= T(0) ? T(0) : T(1);
  }

  /// As an option of another operation: `.activation = relu`.
  constexpr operator Activation() const { return Activation::relu; }
};
inline constexpr Relu relu;

namespace detail {

/// The gradient of what went into an activation, from that of the result y: dy itself where there
/// was none (y undefined), else in dy's memory where nobody else holds it.
template <class Tens>
Tens before_activation(const Tens& y, const Tens& dy) {
  if (!y.defined()) return dy;
  Tens dx = dy.shared() ? Tens(dy.shape()) : dy;
  map_backward(typename Tens::device{}, relu, y.view(), dy.view(),
               Into<typename Tens::scalar, Tens::rank>{dx.mutable_data(), dx.shape(), false});
  return dx;
}

}  // namespace detail

EBB_COMPILED_ELEMENTWISE(Relu)

}  // namespace ebb
