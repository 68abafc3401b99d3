/// \file
/// The natural logarithm.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/elementwise/elementwise.hpp>

namespace ebb::inline EBB_ABI {

/// y = log x; dx = dy / x. As in IEEE arithmetic, log 0 is -infinity and log of a negative is nan.
struct Log : Elementwise<Log> {
  static constexpr const char* name = "log";
  static constexpr Index cost = 4;
  template <class T>
  EBB_HD T value(T x) const {
    return math::log(x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return T(1) / x;
  }
};

template <Operand X>
auto log(const X& x) {
  return Log{}(x);
}

EBB_COMPILED_ELEMENTWISE(Log)

}  // namespace ebb
