/// \file
/// The kernels of the negative log likelihood.
#pragma once

#include <ebb/ops/loss/classes_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: y = -sum w_l x_l / norm, norm = sum w_l for a mean, else 1.
template <class T, int N, int M>
void nll_forward(Cpu, const ClassTerms<T>& terms, View<const T, N> x, View<const int, M> labels,
                 View<T, 0> norm, View<T, 0> y) {
  const AxisLines lines(x.shape, 1);
  norm.data[0] = terms.mean ? detail::sum_of_weights(terms, labels) : T(1);
  y.data[0] = fold_all<T>(labels.size(), 4, AddUp{},
                          [&](Index i) {
                            const int label = labels.data[i];
                            if (!terms.counts(label)) return T(0);
                            const Index at =
                                (i / lines.inner * lines.n + label) * lines.inner + i % lines.inner;
                            return -terms.weight(label) * x.data[at];
                          }) /
              norm.data[0];
}

/// Kernel: dx_l = -w_l dy / norm, and 0 for the other classes.
template <class T, int N, int M>
void nll_backward(Cpu, const ClassTerms<T>& terms, View<const int, M> labels, View<const T, 0> norm,
                  View<const T, 0> dy, Into<T, N> dx) {
  const AxisLines lines(dx.shape, 1);
  const T scale = dy.data[0] / norm.data[0];
  lines.for_tiles(1, [&](const auto& tile) {
    T* const to = dx.data;
    if (!dx.add) tile.each([to](Index i, Index) { to[i] = T(0); });
    for (Index j = 0; j < tile.count; ++j) {
      const int label = labels.data[tile.line + j];
      if (terms.counts(label)) to[tile.at(label, j)] -= scale * terms.weight(label);
    }
  });
}

}  // namespace ebb::kernel
