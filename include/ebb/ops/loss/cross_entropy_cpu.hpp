/// \file
/// The kernels of cross entropy with class numbers.
#pragma once

#include <ebb/ops/loss/classes_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: y = sum over lines / norm, of (1 - s) w_l (log sum e^x - x_l) + s / C sum_c w_c (log sum
/// e^x - x_c), with label l and smoothing s; norm = sum w_l for a mean, else 1. `log_sum` keeps,
/// for each line, the largest x and the rest of log sum e^x: apart, because their sum would round
/// off.
template <class T, int N, int M>
void cross_entropy_forward(Cpu, const ClassTerms<T>& terms, View<const T, N> x,
                           View<const int, M> labels, View<T, 2> log_sum, View<T, 0> norm,
                           View<T, 0> y) {
  const AxisLines lines(x.shape, 1);
  const Index count_lines = labels.size();
  T* const largest = log_sum.data;
  T* const rest = log_sum.data + count_lines;
  Scratch<T> scratch(count_lines);
  T* const term = scratch.data();
  const auto body = [&](const auto& tile, const T* from, const T*, T*) {
    detail::log_sum_exp(from, tile, largest + tile.line, rest + tile.line);
    for (Index j = 0; j < tile.count; ++j) {
      const Index line = tile.line + j;
      const int label = labels.data[line];
      const T m = largest[line], r = rest[line];
      term[line] = T(0);
      if (!terms.counts(label)) continue;
      T t = (T(1) - terms.smoothing) * terms.weight(label) * (m - from[tile.at(label, j)] + r);
      if (terms.smoothing != T(0)) {
        T spread_out = T(0);
        for (Index c = 0; c < lines.n; ++c)
          spread_out += terms.weight(c) * (m - from[tile.at(c, j)] + r);
        t += terms.smoothing / T(lines.n) * spread_out;
      }
      term[line] = t;
    }
  };
  lines.map_tiles<T>(4, x.data, nullptr, nullptr, false, body);
  norm.data[0] = terms.mean ? detail::sum_of_weights(terms, labels) : T(1);
  y.data[0] = fold_all<T>(count_lines, 1, AddUp{}, [=](Index i) { return term[i]; }) / norm.data[0];
}

/// Kernel: dx_c = dy / norm * ((1 - s) w_l (p_c - [c = l]) + s / C (p_c sum_k w_k - w_c)), p the
/// softmax of the line.
template <class T, int N, int M>
void cross_entropy_backward(Cpu, const ClassTerms<T>& terms, View<const T, N> x,
                            View<const int, M> labels, View<const T, 2> log_sum,
                            View<const T, 0> norm, View<const T, 0> dy, Into<T, N> dx) {
  const AxisLines lines(x.shape, 1);
  const T* const largest = log_sum.data;
  const T* const rest = log_sum.data + labels.size();
  const T scale = dy.data[0] / norm.data[0];
  const T share = terms.smoothing / T(lines.n), sure = T(1) - terms.smoothing;
  T all_weights = T(0);
  for (Index c = 0; c < lines.n; ++c) all_weights += terms.weight(c);

  const bool add = dx.add;
  const auto body = [&, add](const auto& tile, const T* from, const T*, T* to) {
    T by_softmax[AxisLines::tile], by_weight[AxisLines::tile], live[AxisLines::tile];
    for (Index j = 0; j < tile.count; ++j) {
      const int label = labels.data[tile.line + j];
      const bool counts = terms.counts(label);
      by_softmax[j] = counts ? scale * (sure * terms.weight(label) + share * all_weights) : T(0);
      by_weight[j] = counts ? scale * share : T(0);
      live[j] = T(counts ? 1 : 0);
    }
    const T *const top = largest + tile.line, *const log = rest + tile.line;
    // An ignored line may hold what it likes, nan too.
    const auto slope = [=, &by_softmax, &live](Index i, Index j) {
      const T e = math::exp_or_zero(from[i] - top[j] - log[j]);
      return math::select(live[j] != T(0), by_softmax[j] * e, T(0));
    };
    if (add)
      tile.each([=](Index i, Index j) { to[i] += slope(i, j); });
    else
      tile.each([=](Index i, Index j) { to[i] = slope(i, j); });
    for (Index j = 0; j < tile.count; ++j) {
      const int label = labels.data[tile.line + j];
      if (!terms.counts(label)) continue;
      if (share != T(0))
        for (Index c = 0; c < tile.n; ++c) to[tile.at(c, j)] -= by_weight[j] * terms.weight(c);
      to[tile.at(label, j)] -= scale * sure * terms.weight(label);
    }
  };
  lines.map_tiles<T>(4, x.data, nullptr, dx.data, add, body);
}

#define EBB_CROSS_ENTROPY(T)                                                                    \
  EBB_COMPILED(void cross_entropy_forward<T, 2, 1>(Cpu, const ClassTerms<T>&, View<const T, 2>, \
                                                   View<const int, 1>, View<T, 2>, View<T, 0>,  \
                                                   View<T, 0>))                                 \
  EBB_COMPILED(void cross_entropy_backward<T, 2, 1>(                                            \
      Cpu, const ClassTerms<T>&, View<const T, 2>, View<const int, 1>, View<const T, 2>,        \
      View<const T, 0>, View<const T, 0>, Into<T, 2>))
EBB_CROSS_ENTROPY(float)
EBB_CROSS_ENTROPY(double)
#undef EBB_CROSS_ENTROPY

}  // namespace ebb::kernel
