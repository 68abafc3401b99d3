/// \file
/// Forward mode: dual numbers a + b e with e^2 = 0 carry a derivative along (Griewank & Walther,
/// "Evaluating Derivatives", 2nd ed., SIAM 2008, chapter 3.1). As the scalar of a tensor they turn
/// every operation of the library into its own Jacobian-vector product, through the reference
/// kernels; on a tape they give Hessian-vector products (`hvp`, tape/forward.hpp).
#pragma once

#include <ebb/core/finite.hpp>

#include <cmath>
#include <type_traits>

/// A namespace of its own, so that `exp(Dual)` is found by argument-dependent lookup beside the
/// operations of the same name.
namespace ebb::inline EBB_ABI::forward {

/// A value and its derivative along one direction. Compares by value alone. T may be dual itself:
/// the tangent of the tangent is then a second derivative.
template <class T>
struct Dual {
  T value{};
  T tangent{};

  EBB_HD constexpr Dual() = default;
  /// Any arithmetic constant: its derivative is zero.
  template <class C>
  requires std::is_arithmetic_v<C> EBB_HD constexpr Dual(C constant)
      : value(static_cast<T>(constant)) {}
  EBB_HD constexpr Dual(T v, T t) : value(v), tangent(t) {}

  template <class C>
  requires std::is_arithmetic_v<C> EBB_HD constexpr explicit operator C() const {
    return static_cast<C>(value);
  }

  EBB_HD constexpr Dual& operator+=(Dual b) { return *this = *this + b; }
  EBB_HD constexpr Dual& operator-=(Dual b) { return *this = *this - b; }
  EBB_HD constexpr Dual& operator*=(Dual b) { return *this = *this * b; }
  EBB_HD constexpr Dual& operator/=(Dual b) { return *this = *this / b; }

  friend EBB_HD constexpr Dual operator+(Dual a) { return a; }
  friend EBB_HD constexpr Dual operator-(Dual a) { return {-a.value, -a.tangent}; }
  friend EBB_HD constexpr Dual operator+(Dual a, Dual b) {
    return {a.value + b.value, a.tangent + b.tangent};
  }
  friend EBB_HD constexpr Dual operator-(Dual a, Dual b) {
    return {a.value - b.value, a.tangent - b.tangent};
  }
  friend EBB_HD constexpr Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.tangent * b.value + a.value * b.tangent};
  }
  friend EBB_HD constexpr Dual operator/(Dual a, Dual b) {
    const T ratio = a.value / b.value;
    return {ratio, (a.tangent - ratio * b.tangent) / b.value};
  }

  friend EBB_HD constexpr bool operator==(Dual a, Dual b) { return a.value == b.value; }
  friend EBB_HD constexpr bool operator!=(Dual a, Dual b) { return a.value != b.value; }
  friend EBB_HD constexpr bool operator<(Dual a, Dual b) { return a.value < b.value; }
  friend EBB_HD constexpr bool operator>(Dual a, Dual b) { return a.value > b.value; }
  friend EBB_HD constexpr bool operator<=(Dual a, Dual b) { return a.value <= b.value; }
  friend EBB_HD constexpr bool operator>=(Dual a, Dual b) { return a.value >= b.value; }
};

// Functions of what is inside: std's, or those below where it is a dual number itself.
using std::cos;
using std::erf;
using std::erfc;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::pow;
using std::sin;
using std::sqrt;
using std::tanh;

/// f(x) with the chain rule: `slope` is f'(x.value).
template <class T>
EBB_HD constexpr Dual<T> chain(Dual<T> x, T value, T slope) {
  return {value, slope * x.tangent};
}

template <class T>
EBB_HD Dual<T> exp(Dual<T> x) {
  const T y = exp(x.value);
  return chain(x, y, y);
}
template <class T>
EBB_HD Dual<T> expm1(Dual<T> x) {
  return chain(x, expm1(x.value), exp(x.value));
}
template <class T>
EBB_HD Dual<T> log(Dual<T> x) {
  return chain(x, log(x.value), T(1) / x.value);
}
template <class T>
EBB_HD Dual<T> log1p(Dual<T> x) {
  return chain(x, log1p(x.value), T(1) / (T(1) + x.value));
}
template <class T>
EBB_HD Dual<T> sqrt(Dual<T> x) {
  const T y = sqrt(x.value);
  return chain(x, y, T(0.5) / y);
}
template <class T>
EBB_HD Dual<T> sin(Dual<T> x) {
  return chain(x, sin(x.value), cos(x.value));
}
template <class T>
EBB_HD Dual<T> cos(Dual<T> x) {
  return chain(x, cos(x.value), -sin(x.value));
}
template <class T>
EBB_HD Dual<T> tanh(Dual<T> x) {
  const T y = tanh(x.value);
  return chain(x, y, T(1) - y * y);
}
template <class T>
EBB_HD Dual<T> erf(Dual<T> x) {
  return chain(x, erf(x.value), T(1.1283791670955125739) * exp(-x.value * x.value));
}
template <class T>
EBB_HD Dual<T> erfc(Dual<T> x) {
  return chain(x, erfc(x.value), T(-1.1283791670955125739) * exp(-x.value * x.value));
}
template <class T>
EBB_HD Dual<T> abs(Dual<T> x) {
  return x.value < T(0) ? -x : x;
}
template <class T>
EBB_HD Dual<T> fabs(Dual<T> x) {
  return abs(x);
}
/// Whether x is zero, and moves in no direction.
template <class T>
EBB_HD bool vanishes(const T& x) {
  return x == T(0);
}
template <class T>
EBB_HD bool vanishes(const Dual<T>& x) {
  return vanishes(x.value) && vanishes(x.tangent);
}
/// d(a^b) = b a^(b-1) da + a^b log(a) db; the second term only where b varies, so that negative
/// bases with constant exponents work.
template <class T>
EBB_HD Dual<T> pow(Dual<T> a, Dual<T> b) {
  const T y = pow(a.value, b.value);
  T tangent = !vanishes(a.tangent) ? b.value * pow(a.value, b.value - T(1)) * a.tangent : T(0);
  if (!vanishes(b.tangent)) tangent += y * log(a.value) * b.tangent;
  return {y, tangent};
}
template <class T>
EBB_HD bool is_finite(const Dual<T>& x) {
  using math::is_finite;
  return is_finite(x.value) && is_finite(x.tangent);
}

}  // namespace ebb::forward

namespace ebb::inline EBB_ABI {
using forward::Dual;
}
