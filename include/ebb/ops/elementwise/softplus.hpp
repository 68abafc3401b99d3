/// \file
/// Softplus, a smooth rectifier.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = log(1 + e^(b x)) / b, and x itself where b x is above the threshold, as PyTorch has it;
/// dx = sigmoid(b x) dy. Neither overflows: only e^-|b x| is computed.
/// `softplus(x)` has b = 1 and threshold 20; `softplus(x, 2.0)`, `softplus(x, 2.0, 30.0)` and the
/// layer `Softplus{2.0}` choose them.
/// Dugas et al., "Incorporating second-order functional knowledge for better option pricing",
/// NIPS 2000.
struct Softplus : Elementwise<Softplus> {
  static constexpr const char* name = "softplus";
  static constexpr Index cost = 8;

  /// \throws ValueError when beta is not positive.
  constexpr explicit Softplus(double beta = 1, double threshold = 20)
      : beta_(beta), threshold_(threshold) {
    if (!(beta > 0)) throw ValueError(message("softplus: beta must be positive, not ", beta));
  }

  template <class T>
  EBB_HD T value(T x) const {
    const T u = T(beta_) * x;
    const T tail = math::log1p(math::exp(math::select(u > T(0), -u, u)));
    const T y = (math::select(u > T(0), u, T(0)) + tail) / T(beta_);
    return math::select(u > T(threshold_), x, y);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    const T u = T(beta_) * x;
    const T tail = math::exp(math::select(u > T(0), -u, u));
    const T s = math::select(u > T(0), T(1), tail) / (T(1) + tail);
    return math::select(u > T(threshold_), T(1), s);
  }

  using Elementwise::operator();
  template <Operand X>
  auto operator()(const X& x, double beta, double threshold = 20) const {
    return Softplus(beta, threshold)(x);
  }

 private:
  double beta_, threshold_;
};
inline constexpr Softplus softplus;

}  // namespace ebb
