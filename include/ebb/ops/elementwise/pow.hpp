/// \file
/// Powers: of a tensor and a number, a number and a tensor, and two tensors.
#pragma once

#include <ebb/ops/elementwise/arithmetic.hpp>

namespace ebb::inline EBB_ABI {

/// y = a^b; da = b a^(b-1) dy (0 where b is 0), db = y log(a) dy (0 where a is 0 and b >= 0), as
/// PyTorch has it. Negative bases give nan unless the exponent is whole, as `std::pow` does.
struct Pow : Binary<Pow> {
  static constexpr const char* name = "pow";
  static constexpr Index cost = 32;
  template <class T>
  EBB_HD T value(T a, T b) const {
    using std::pow;
    return pow(a, b);
  }
  template <class T>
  EBB_HD T slope_a(T a, T b) const {
    using std::pow;
    return b == T(0) ? T(0) : b * pow(a, b - T(1));
  }
  template <class T>
  EBB_HD T slope_b(T a, T b) const {
    using std::log;
    using std::pow;
    return a == T(0) && b >= T(0) ? T(0) : pow(a, b) * log(a);
  }
};

namespace detail {

/// y = x^c and y = c^x.
template <class C>
struct PowTo : Elementwise<PowTo<C>> {
  static constexpr const char* name = "pow";
  static constexpr Index cost = 32;
  C c;
  explicit PowTo(C exponent) : c(exponent) {}
  EBB_HD C value(C x) const { return Pow{}.value(x, c); }
  EBB_HD C slope_at_input(C x) const { return Pow{}.slope_a(x, c); }
};
template <class C>
struct PowOf : Elementwise<PowOf<C>> {
  static constexpr const char* name = "pow";
  static constexpr Index cost = 32;
  C c;
  explicit PowOf(C base) : c(base) {}
  EBB_HD C value(C x) const { return Pow{}.value(c, x); }
  EBB_HD C slope_at_input(C x) const { return Pow{}.slope_b(c, x); }
};

}  // namespace detail

template <Operand A, Operand B>
auto pow(const A& a, const B& b) {
  return Pow{}(a, b);
}
template <Operand X, NumberFor<X> C>
auto pow(const X& x, C exponent) {
  return detail::PowTo<scalar_of<X>>(scalar_of<X>(exponent))(x);
}
template <Operand X, NumberFor<X> C>
auto pow(C base, const X& x) {
  return detail::PowOf<scalar_of<X>>(scalar_of<X>(base))(x);
}

}  // namespace ebb
