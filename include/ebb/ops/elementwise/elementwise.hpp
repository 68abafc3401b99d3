/// \file
/// Elementwise functions of one tensor: one kernel forward and one backward serve them all.
#pragma once

#include <ebb/ops/elementwise/elementwise_cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

/// Makes a scalar function an operation on tensors, variables and parameters of any rank, and a
/// layer. Derive from it, and give the function a name, its value, and its slope in terms of the
/// input or of the output, whichever is cheaper to keep:
///
///     struct Cube : ebb::Elementwise<Cube> {
///       static constexpr const char* name = "cube";
///       template <class T> EBB_HD T value(T x) const { return x * x * x; }
///       template <class T> EBB_HD T slope_at_input(T x) const { return T(3) * x * x; }
///     };
///     inline constexpr Cube cube;
///
/// A constant slope is `slope()`, without arguments: then nothing is saved. Functions of std are
/// called as `using std::exp; return exp(x);`, so that dual numbers find theirs.
template <class F>
struct Elementwise {
  /// Elementary operations per element, for deciding when threads pay; redefine for costly ones.
  static constexpr Index cost = 1;

  template <Operand X>
  auto operator()(const X& x) const {
    using Tens = tensor_of<X>;
    Tens y(x.shape());
    map_forward(typename Tens::device{}, static_cast<const F&>(*this), value(x).view(), y.mut());
    return recorded(x, std::move(y));
  }

  /// A temporary is overwritten with the result where nobody else holds its elements: no other
  /// tensor, and no pullback.
  template <Operand X>
  requires(!is_param<X>) auto operator()(X&& x) const {
    if (value(x).shared() || (is_var<X> && !constant<X> && !at_output<X>)) return (*this)(x);
    auto y = [&] {
      if constexpr (is_var<X>)
        return std::forward<X>(x).take();
      else
        return std::forward<X>(x);
    }();
    map_forward(device_of<X>{}, static_cast<const F&>(*this), y.view(), y.mut());
    return recorded(x, std::move(y));
  }

 private:
  template <class X>
  static constexpr bool constant = requires(const F& f) {
    f.slope();
  };
  template <class X>
  static constexpr bool at_output = requires(const F& f, scalar_of<X> v) {
    f.slope_at_output(v);
  };

  template <class X>
  auto recorded(const X& x, tensor_of<X> y) const {
    using Tens = tensor_of<X>;
    using Device = typename Tens::device;
    using T = scalar_of<X>;
    const F& f = static_cast<const F&>(*this);
    static_assert(
        constant<X> || at_output<X> || requires(T v) { f.slope_at_input(v); },
        "ebb::Elementwise: the function needs its derivative: slope_at_input(x), "
        "slope_at_output(y), or slope() where it is a constant");
    if constexpr (!is_var<X> && !is_param<X>) {
      return y;
    } else {
      Tens saved = constant<X> ? Tens() : at_output<X> ? y : value(x);
      return track(
          F::name, std::move(y),
          [f, saved = std::move(saved), dx = sink(x)](const auto& dy) {
            if (!dx) return;
            if constexpr (constant<X>)
              map_backward(Device{}, f, View<const T, Tens::rank>{nullptr, dy.shape()}, dy.view(),
                           dx.into(dy));
            else
              map_backward(Device{}, f, saved.view(), dy.view(), dx.into(dy));
          },
          x);
    }
  }
};

}  // namespace ebb
