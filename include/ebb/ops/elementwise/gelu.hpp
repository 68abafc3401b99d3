/// \file
/// The Gaussian error linear unit, exact and by its tanh approximation.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = x P(x), where P(x) = (1 + erf(x / sqrt 2)) / 2 is the standard normal distribution function;
/// dx = (P(x) + x p(x)) dy, p its density. PyTorch's `gelu(x)`.
/// Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, 2016.
struct Gelu : Elementwise<Gelu> {
  static constexpr const char* name = "gelu";
  static constexpr Index cost = 8;
  template <class T>
  EBB_HD T value(T x) const {
    return x * math::normal_cdf(x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::normal_cdf(x) + x * T(0.39894228040143267794) * math::exp_of_minus_half_square(x);
  }
};
inline constexpr Gelu gelu;

/// y = x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3): the approximation of the same
/// paper. PyTorch's `gelu(x, approximate='tanh')`. Computed as x s(2 u), s the sigmoid, because
/// 1 + tanh u loses the digits of the lower tail; dx = (s + 2 x s (1 - s) u') dy.
struct GeluTanh : Elementwise<GeluTanh> {
  static constexpr const char* name = "gelu_tanh";
  static constexpr Index cost = 12;
  template <class T>
  EBB_HD T value(T x) const {
    const T e = tail(magnitude(x));
    return x * math::select(x < T(0), e, T(1)) / (T(1) + e);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    const T a = magnitude(x), e = tail(a), larger = T(1) / (T(1) + e), smaller = e / (T(1) + e);
    return math::select(x < T(0), smaller, larger) +
           x * (larger * smaller) * (T(twice_root) * (T(1) + T(3 * cubic) * a * a));
  }

 private:
  static constexpr double twice_root = 1.5957691216057307;  // 2 sqrt(2 / pi)
  static constexpr double cubic = 0.044715;

  /// |x|, but not so large that its square overflows; beyond 24 nothing changes in any precision.
  template <class T>
  EBB_HD static T magnitude(T x) {
    const T a = math::select(x < T(0), -x, x);
    return math::select(a > T(24), T(24), a);
  }
  /// e^(-2 u) at a >= 0. An error of u is one of 2 u times as much in the result, up to 100 in
  /// float: there u is found in double.
  template <class T>
  EBB_HD static T tail(T a) {
    if constexpr (std::is_same_v<T, float>) {
      const double wide = static_cast<double>(a);
      const double exponent = -twice_root * wide * (1.0 + cubic * wide * wide);
      const auto near = static_cast<float>(exponent);
      return math::exp_of_sum(near, static_cast<float>(exponent - static_cast<double>(near)));
    } else {
      return math::exp(T(-twice_root) * a * (T(1) + T(cubic) * a * a));
    }
  }
};
inline constexpr GeluTanh gelu_tanh;

EBB_COMPILED_ELEMENTWISE(Gelu)

}  // namespace ebb
