/// \file
/// Softplus, a smooth rectifier.
#pragma once

#include <ebb/ops/elementwise.hpp>

namespace ebb {

/// y = log(1 + e^(b x)) / b, and x itself where b x is above the threshold, as PyTorch has it;
/// dx = sigmoid(b x) dy. Neither overflows: only e^-|b x| is computed.
/// `softplus(x)` has b = 1 and threshold 20; `softplus(x, 2.0)`, `softplus(x, 2.0, 30.0)` and the
/// layer `Softplus{2.0}` choose them.
/// Dugas et al., "Incorporating second-order functional knowledge for better option pricing",
/// NIPS 2000.
struct Softplus : Elementwise<Softplus> {
  static constexpr const char* name = "softplus";
  static constexpr Index cost = 16;

  /// \throws ValueError when beta is not positive.
  constexpr explicit Softplus(double beta = 1, double threshold = 20)
      : beta_(beta), threshold_(threshold) {
    if (!(beta > 0)) throw ValueError(message("softplus: beta must be positive, not ", beta));
  }

  template <class T>
  EBB_HD T value(T x) const {
    using std::exp;
    using std::log1p;
    const T u = T(beta_) * x;
    if (u > T(threshold_)) return x;
    return ((u > T(0) ? u : T(0)) + log1p(exp(u > T(0) ? -u : u))) / T(beta_);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    using std::exp;
    const T u = T(beta_) * x;
    if (u > T(threshold_)) return T(1);
    const T tail = exp(u > T(0) ? -u : u);
    return (u > T(0) ? T(1) : tail) / (T(1) + tail);
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
