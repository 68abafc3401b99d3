/// \file
/// The exponential linear unit.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = x where x > 0, a (e^x - 1) elsewhere; dx = dy or a e^x dy alike.
/// `elu(x)` has a = 1; `elu(x, 0.5)` and the layer `Elu{0.5}` choose it.
/// Clevert, Unterthiner & Hochreiter, "Fast and accurate deep network learning by exponential
/// linear units (ELUs)", ICLR 2016.
struct Elu : Elementwise<Elu> {
  static constexpr const char* name = "elu";
  static constexpr Index cost = 4;
  double alpha;

  constexpr explicit Elu(double a = 1.0) : alpha(a) {}

  template <class T>
  EBB_HD T value(T x) const {
    return math::select(x > T(0), x, T(alpha) * math::expm1(x));
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::select(x > T(0), T(1), T(alpha) * math::exp(x));
  }

  using Elementwise::operator();
  template <Operand X>
  auto operator()(const X& x, double a) const {
    return Elu(a)(x);
  }
};
inline constexpr Elu elu;

}  // namespace ebb
