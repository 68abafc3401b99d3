/// \file
/// Running sums along lines of one axis, on the CPU.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/kit/axis_lines.hpp>
#include <ebb/kit/lanes.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Each element of y is the sum of its line of x up to there, or from there on. Neighbouring lines
/// are summed side by side, each in order.
template <bool from_end, class T, int N>
void running_sums(int axis, const Shape<N>& shape, const T* x, T* y, bool add) {
  if (shape.size() == 0) return;
  AxisLines(shape, axis).for_tiles(2, [=](const auto& lines) {
    Wide<T> total[AxisLines::tile] = {};
    for (Index k = 0; k < lines.n; ++k) {
      const Index step = from_end ? lines.n - 1 - k : k;
      EBB_SIMD
      for (Index j = 0; j < lines.count; ++j) {
        const Index i = lines.at(step, j);
        total[j] += static_cast<Wide<T>>(x[i]);
        const T sum = static_cast<T>(total[j]);
        y[i] = add ? y[i] + sum : sum;
      }
    }
  });
}

}  // namespace detail

/// Kernel: y_i = x_0 + ... + x_i along the axis.
template <class T, int N>
void cumsum_forward(Cpu, int axis, View<const T, N> x, View<T, N> y) {
  detail::running_sums<false>(axis, y.shape, x.data, y.data, false);
}

/// Kernel: dx_i = dy_i + ... + dy_n along the axis.
template <class T, int N>
void cumsum_backward(Cpu, int axis, View<const T, N> dy, Into<T, N> dx) {
  detail::running_sums<true>(axis, dx.shape, dy.data, dx.data, dx.add);
}

}  // namespace ebb::kernel
