/// \file
/// The activations that a convolution or a product can take in, and their formulas.
///
/// To add one: its formula below, and its line in EBB_ACTIVATIONS. Every kernel on every device
/// then knows it. (An operation of its own, `silu` say, is a header in ops/elementwise/ that
/// derives from the formula and converts to `Activation`.)
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/math.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI {

/// Functions of one number with their slopes, by the input or by the output, whichever is cheaper
/// to keep; the operations of the same names say where they come from.
namespace formula {

/// max(x, 0); nan stays.
struct Relu {
  template <class T>
  EBB_HD T value(T x) const {
    return x < T(0) ? T(0) : x;
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return y <= T(0) ? T(0) : T(1);
  }
};

/// min(max(x, 0), 6); nan stays.
struct Relu6 {
  template <class T>
  EBB_HD T value(T x) const {
    return math::select(x <= T(0), T(0), math::select(x >= T(6), T(6), x));
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return math::select((y <= T(0)) | (y >= T(6)), T(0), T(1));
  }
};

/// x, or a x where x is not positive.
struct LeakyRelu {
  double negative_slope;

  template <class T>
  EBB_HD T value(T x) const {
    return math::select(x > T(0), x, T(negative_slope) * x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::select(x > T(0), T(1), T(negative_slope));
  }
  /// Whether the output may stand for the input there: where it has the same sign.
  constexpr bool output_will_do() const { return negative_slope >= 0; }
};

/// x within [low, high], ends included.
struct Clamp {
  double low, high;

  template <class T>
  EBB_HD T value(T x) const {
    return math::select(x < T(low), T(low), math::select(x > T(high), T(high), x));
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::select((x >= T(low)) & (x <= T(high)), T(1), T(0));
  }
};

/// 1 / (1 + e^-x), by the form that cannot overflow: e^-|x| is at most one.
struct Sigmoid {
  template <class T>
  EBB_HD T value(T x) const {
    const T tail = math::exp(math::select(x < T(0), x, -x));
    return math::select(x < T(0), tail, T(1)) / (T(1) + tail);
  }
  template <class T>
  EBB_HD T slope_at_output(T y) const {
    return y * (T(1) - y);
  }
};

/// x sigmoid(x).
struct Silu {
  template <class T>
  EBB_HD T value(T x) const {
    return x * Sigmoid{}.value(x);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    const T s = Sigmoid{}.value(x);
    return s * (T(1) + x * (T(1) - s));
  }
};

/// x min(max(x + 3, 0), 6) / 6.
struct HardSwish {
  template <class T>
  EBB_HD T value(T x) const {
    return x * Relu6{}.value(x + T(3)) / T(6);
  }
  template <class T>
  EBB_HD T slope_at_input(T x) const {
    return math::select(x <= T(-3), T(0), math::select(x < T(3), x / T(3) + T(0.5), T(1)));
  }
};

}  // namespace formula

namespace kernel::detail {

/// Whether the slope of a formula can be told from its output.
template <class F>
constexpr bool known_by_output(const F& f) {
  if constexpr (requires { f.output_will_do(); })
    return f.output_will_do();
  else
    return requires { f.slope_at_output(0.0f); };
}

/// The slope of a formula, from what is kept: its output where that tells it, else its input.
template <class F, class T>
EBB_HD T slope_by(const F& f, T kept) {
  if constexpr (requires { f.slope_at_output(kept); })
    return f.slope_at_output(kept);
  else
    return f.slope_at_input(kept);
}

}  // namespace kernel::detail

/// The name of each activation, and its formula, whose numbers are `a` and `b`.
#define EBB_ACTIVATIONS(each)                                                       \
  each(relu, (formula::Relu{})) each(relu6, (formula::Relu6{}))                     \
      each(leaky_relu, (formula::LeakyRelu{a})) each(clamp, (formula::Clamp{a, b})) \
          each(sigmoid, (formula::Sigmoid{})) each(silu, (formula::Silu{}))         \
              each(hard_swish, (formula::HardSwish{}))

/// What becomes of the result of a convolution or an affine map while it is stored. It is asked for
/// by the operation itself: `conv2d(x, w, b, {.activation = relu})` gives the elements of
/// `relu(conv2d(x, w, b))` with a pass over memory less, and so do `relu6`, `leaky_relu`,
/// `Clamp{-1, 1}`, `sigmoid`, `silu` and `hard_swish`.
struct Activation {
#define EBB_NAME(name, formula) , name
  enum Kind { none EBB_ACTIVATIONS(EBB_NAME) };
#undef EBB_NAME

  Kind kind = none;
  double a = 0, b = 0;  ///< the numbers of its formula, if it has any

  constexpr Activation() = default;
  constexpr Activation(Kind which, double first = 0, double second = 0)
      : kind(which), a(first), b(second) {}
  friend constexpr bool operator==(const Activation&, const Activation&) = default;

  /// Calls f(formula) with the formula of this activation; not at all where there is none.
  template <class F>
  EBB_HD constexpr void visit(F&& f) const {
    switch (kind) {
      case none:
        break;
#define EBB_CASE(name, formula) \
  case name:                    \
    return f formula;
        EBB_ACTIVATIONS(EBB_CASE)
#undef EBB_CASE
    }
  }

  /// Of one number.
  template <class T>
  EBB_HD T value(T x) const {
    visit([&](const auto& f) { x = f.value(x); });
    return x;
  }

  /// Whether the slope can be told from the result, so that backward need not keep what went in.
  constexpr bool known_by_result() const {
    bool known = true;
    visit([&](const auto& f) { known = kernel::detail::known_by_output(f); });
    return known;
  }
};

}  // namespace ebb
