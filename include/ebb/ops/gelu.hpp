/// \file
/// The Gaussian error linear unit, exact and by its tanh approximation.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise.hpp>

namespace ebb {

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
    return math::normal_cdf(x) + x * T(0.39894228040143267794) * math::exp(T(-0.5) * x * x);
  }
};
inline constexpr Gelu gelu;

/// y = x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3): the approximation of the same
/// paper. PyTorch's `gelu(x, approximate='tanh')`.
struct GeluTanh : Elementwise<GeluTanh> {
  static constexpr const char* name = "gelu_tanh";
  static constexpr Index cost = 8;
  template <class T>
  EBB_HD T value(T x) const {
    return T(0.5) * x * (T(1) + math::tanh(inner(x)));
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    const T t = math::tanh(inner(x));
    const T inner_slope = T(root) * (T(1) + T(3 * cubic) * x * x);
    return T(0.5) * (T(1) + t) + T(0.5) * x * (T(1) - t * t) * inner_slope;
  }

 private:
  static constexpr double root = 0.79788456080286535588;  // sqrt(2 / pi)
  static constexpr double cubic = 0.044715;
  template <class T>
  EBB_HD static T inner(T x) {
    return T(root) * (x + T(cubic) * x * x * x);
  }
};
inline constexpr GeluTanh gelu_tanh;

EBB_COMPILED_ELEMENTWISE(Gelu)

}  // namespace ebb
