/// \file
/// Padding on the CPU, row by row.
#pragma once

#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/shape/pad/reference.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: x amid its margins.
template <class T, int N>
void pad_forward(Cpu, const PadGeometry<N>& g, T margin, View<const T, N> x, View<T, N> y) {
  if (y.size() == 0) return;
  constexpr int last = N - 1;
  const Index width = g.to[last], inside = g.from[last], before = g.before[last];
  const Index rows = y.size() / width, together = width < chunk ? chunk / width : 1;
  parallel_for(divide_up(rows, together), y.size(), [&](Index task) {
    const Index end = (task + 1) * together < rows ? (task + 1) * together : rows;
    for (Index row = task * together; row < end; ++row) {
      T* to = y.data + row * width;
      const Index source = g.source_row(row);
      if (source < 0) {
        for (Index i = 0; i < width; ++i) to[i] = margin;
        continue;
      }
      const T* from = x.data + source * inside;
      const auto edge = [&](Index i) {
        const Index at = g.source(last, i);
        to[i] = at < 0 ? margin : from[at];
      };
      for (Index i = 0; i < before; ++i) edge(i);
      for (Index i = 0; i < inside; ++i) to[before + i] = from[i];
      for (Index i = before + inside; i < width; ++i) edge(i);
    }
  });
}

/// Kernel: dx is the sum of dy over the elements that showed it, in their order.
template <class T, int N>
void pad_backward(Cpu, const PadGeometry<N>& g, View<const T, N> dy, Into<T, N> dx) {
  if (dx.size() == 0) return;
  constexpr int last = N - 1;
  const int untouched = g.untouched();
  Index parts = 1;  // pieces that share no element of dx
  for (int k = 0; k < untouched && k < last; ++k) parts *= g.to[k];
  const Index width = g.to[last], inside = g.from[last], before = g.before[last];
  const Index rows = dy.size() / width / parts, from_size = dx.size() / parts;
  parallel_for(parts, dy.size(), [&](Index part) {
    T* to = dx.data + part * from_size;
    if (!dx.add)
      for (Index i = 0; i < from_size; ++i) to[i] = T(0);
    for (Index row = part * rows; row < (part + 1) * rows; ++row) {
      const Index source = g.source_row(row);
      if (source < 0) continue;
      T* target = dx.data + source * inside;
      const T* from = dy.data + row * width;
      const auto edge = [&](Index i) {
        const Index at = g.source(last, i);
        if (at >= 0) target[at] += from[i];
      };
      for (Index i = 0; i < before; ++i) edge(i);
      for (Index i = 0; i < inside; ++i) target[i] += from[before + i];
      for (Index i = before + inside; i < width; ++i) edge(i);
    }
  });
}

}  // namespace ebb::kernel
