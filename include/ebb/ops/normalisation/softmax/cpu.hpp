/// \file
/// The kernels of softmax and log-softmax, along lines of one axis.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/kit/axis_lines.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: y = e^(x - m) / sum e^(x - m) along the axis, m the largest x of its line.
template <class T, int N>
void softmax_forward(Cpu, int axis, View<const T, N> x, View<T, N> y) {
  if (y.size() == 0) return;
  const auto body = [](const auto& tile, const T* from, const T*, T* to) {
    T largest[AxisLines::tile], part[AxisLines::tile];
    tile.fold(
        Largest{}, [from](Index i, Index) { return from[i]; }, largest);
    tile.each([=, &largest](Index i, Index j) { to[i] = math::exp_or_zero(from[i] - largest[j]); });
    tile.fold(
        AddUp{}, [to](Index i, Index) { return to[i]; }, part);
    for (Index j = 0; j < tile.count; ++j) part[j] = T(1) / part[j];
    tile.each([to, &part](Index i, Index j) { to[i] *= part[j]; });
  };
  AxisLines(x.shape, axis).map_tiles<T>(4, x.data, nullptr, y.data, false, body);
}

/// Kernel: dx = y (dy - sum y dy) along the axis.
template <class T, int N>
void softmax_backward(Cpu, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  if (dx.size() == 0) return;
  const bool add = dx.add;
  const auto body = [add](const auto& tile, const T* from, const T* up, T* to) {
    T total[AxisLines::tile];
    tile.fold(
        AddUp{}, [=](Index i, Index) { return from[i] * up[i]; }, total);
    if (add)
      tile.each([=, &total](Index i, Index j) { to[i] += from[i] * (up[i] - total[j]); });
    else
      tile.each([=, &total](Index i, Index j) { to[i] = from[i] * (up[i] - total[j]); });
  };
  AxisLines(y.shape, axis).map_tiles<T>(2, y.data, dy.data, dx.data, add, body);
}

/// Kernel: y = x - m - log sum e^(x - m) along the axis.
template <class T, int N>
void log_softmax_forward(Cpu, int axis, View<const T, N> x, View<T, N> y) {
  if (y.size() == 0) return;
  const auto body = [](const auto& tile, const T* from, const T*, T* to) {
    T largest[AxisLines::tile], rest[AxisLines::tile];
    detail::log_sum_exp(from, tile, largest, rest);
    tile.each([=, &largest, &rest](Index i, Index j) { to[i] = from[i] - largest[j] - rest[j]; });
  };
  AxisLines(x.shape, axis).map_tiles<T>(4, x.data, nullptr, y.data, false, body);
}

/// Kernel: dx = dy - e^y sum dy along the axis.
template <class T, int N>
void log_softmax_backward(Cpu, int axis, View<const T, N> y, View<const T, N> dy, Into<T, N> dx) {
  if (dx.size() == 0) return;
  const bool add = dx.add;
  const auto body = [add](const auto& tile, const T* from, const T* up, T* to) {
    T total[AxisLines::tile];
    tile.fold(
        AddUp{}, [up](Index i, Index) { return up[i]; }, total);
    const auto slope = [=, &total](Index i, Index j) {
      return up[i] - math::exp_or_zero(from[i]) * total[j];
    };
    if (add)
      tile.each([=](Index i, Index j) { to[i] += slope(i, j); });
    else
      tile.each([=](Index i, Index j) { to[i] = slope(i, j); });
  };
  AxisLines(y.shape, axis).map_tiles<T>(4, y.data, dy.data, dx.data, add, body);
}

#define EBB_SOFTMAX(T)                                                                       \
  EBB_COMPILED(void softmax_forward<T, 2>(Cpu, int, View<const T, 2>, View<T, 2>))           \
  EBB_COMPILED(                                                                              \
      void softmax_backward<T, 2>(Cpu, int, View<const T, 2>, View<const T, 2>, Into<T, 2>)) \
  EBB_COMPILED(void log_softmax_forward<T, 2>(Cpu, int, View<const T, 2>, View<T, 2>))       \
  EBB_COMPILED(                                                                              \
      void log_softmax_backward<T, 2>(Cpu, int, View<const T, 2>, View<const T, 2>, Into<T, 2>))
EBB_SOFTMAX(float)
EBB_SOFTMAX(double)
#undef EBB_SOFTMAX

}  // namespace ebb::kernel
