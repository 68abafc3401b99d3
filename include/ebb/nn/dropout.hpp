/// \file
/// The dropout layer.
#pragma once

#include <ebb/nn/mode.hpp>
#include <ebb/ops/elementwise/dropout.hpp>

namespace ebb::inline EBB_ABI::nn {

/// While training, drops each element with probability p and divides the others by 1 - p
/// (ops/elementwise/dropout.hpp); otherwise hands its input on. Every call draws a fresh stream
/// from the calling thread's default generator.
template <class T = float, class Device = Cpu>
struct Dropout {
  double p;
  Mode mode = Mode::automatic;

  /// \throws ValueError when p is not in [0, 1].
  explicit Dropout(double probability = 0.5) : p(probability) {
    if (!(p >= 0 && p <= 1))
      throw ValueError(message("dropout: p = ", p,
                               " is the probability of dropping an element and "
                               "must be between 0 and 1"));
  }

  template <Operand X>
  auto operator()(const X& x) const {
    if constexpr (is_var<X>)
      return trains_on(mode, x) ? dropout(x, p) : x;
    else
      return trains_on(mode, x) ? dropout(value(x), p) : value(x);
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("p", self.p);
    f("mode", self.mode);
  }
};

}  // namespace ebb::nn
