/// \file
/// Sine and cosine.
#pragma once

#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = sin x; dx = cos(x) dy.
struct Sin : Elementwise<Sin> {
  static constexpr const char* name = "sin";
  static constexpr Index cost = 8;
  template <class T>
  EBB_HD T value(T x) const {
    using std::sin;
    return sin(x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    using std::cos;
    return cos(x);
  }
};

/// y = cos x; dx = -sin(x) dy.
struct Cos : Elementwise<Cos> {
  static constexpr const char* name = "cos";
  static constexpr Index cost = 8;
  template <class T>
  EBB_HD T value(T x) const {
    using std::cos;
    return cos(x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    using std::sin;
    return -sin(x);
  }
};

template <Operand X>
auto sin(const X& x) {
  return Sin{}(x);
}
template <Operand X>
auto cos(const X& x) {
  return Cos{}(x);
}

}  // namespace ebb
