/// \file
/// Elementwise functions of one tensor: one kernel forward and one backward serve them all.
#pragma once

#include <ebb/tape/var.hpp>

namespace ebb {

/// Kernel: y[i] = f.value(x[i]).
template <class F, class T, int N>
void map(Cpu, const F& f, View<const T, N> x, View<T, N> y) {
  parallel_ranges(y.size(), F::cost, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) y.data[i] = f.value(x.data[i]);
  });
}

/// Kernel: dx[i] = slope * dy[i], the slope taken at the input or at the output, whichever the
/// function asks for; `saved` holds it.
template <class F, class T, int N>
void map_grad(Cpu, const F& f, View<const T, N> saved, View<const T, N> dy, Into<T, N> dx) {
  const auto slope = [&](T v) {
    if constexpr (requires { f.slope_at_output(v); })
      return f.slope_at_output(v);
    else
      return f.slope_at_input(v);
  };
  parallel_ranges(dx.size(), F::cost, [&](Index begin, Index end) {
    if (dx.add)
      for (Index i = begin; i < end; ++i) dx.data[i] += slope(saved.data[i]) * dy.data[i];
    else
      for (Index i = begin; i < end; ++i) dx.data[i] = slope(saved.data[i]) * dy.data[i];
  });
}

/// Makes a scalar function an operation on tensors, variables and parameters of any rank, and a
/// layer. Derive from it, and give the function a name, its value, and its slope in terms of the
/// input or of the output, whichever is cheaper to keep:
///
///     struct Square : ebb::Elementwise<Square> {
///       static constexpr const char* name = "square";
///       template <class T> EBB_HD T value(T x) const { return x * x; }
///       template <class T> EBB_HD T slope_at_input(T x) const { return 2 * x; }
///     };
///     inline constexpr Square square;
template <class F>
struct Elementwise {
  /// Elementary operations per element, for deciding when threads pay; redefine for costly ones.
  static constexpr Index cost = 1;

  template <Operand X>
  auto operator()(const X& x) const {
    using Tens = tensor_of<X>;
    using Device = typename Tens::device;
    const F& f = static_cast<const F&>(*this);
    Tens y(x.shape());
    map(Device{}, f, value(x).view(), y.mut());

    constexpr bool at_output = requires(scalar_of<X> v) { f.slope_at_output(v); };
    const Tens& saved = at_output ? y : value(x);
    return track(F::name, y, [f, saved, dx = sink(x)](const auto& dy) {
      if (dx) map_grad(Device{}, f, saved.view(), dy.view(), dx.into());
    }, x);
  }
};

}  // namespace ebb
