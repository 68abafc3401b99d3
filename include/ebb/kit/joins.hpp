/// \file
/// How two values of a fold become one.
#pragma once

#include <ebb/device/math.hpp>

#include <limits>

namespace ebb::inline EBB_ABI::kernel {

/// How values are folded: a neutral element, and how two join.
struct AddUp {
  template <class T>
  EBB_HD static T neutral() {
    return T(0);
  }
  template <class T>
  EBB_HD T operator()(T a, T b) const {
    return a + b;
  }
};

/// Picks the largest, or nan where there is one.
struct Largest {
  template <class T>
  EBB_HD static T neutral() {
    return T(-std::numeric_limits<double>::infinity());
  }
  template <class T>
  EBB_HD T operator()(T a, T b) const {
    return math::select((b > a) | math::is_nan(b), b, a);
  }
};

/// Picks the smallest, or nan where there is one.
struct Smallest {
  template <class T>
  EBB_HD static T neutral() {
    return T(std::numeric_limits<double>::infinity());
  }
  template <class T>
  EBB_HD T operator()(T a, T b) const {
    return math::select((b < a) | math::is_nan(b), b, a);
  }
};

}  // namespace ebb::kernel
