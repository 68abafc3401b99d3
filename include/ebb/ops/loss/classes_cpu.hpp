/// \file
/// The kernels of losses on class numbers. Classes lie on axis 1; a line is one sample, or one
/// pixel of it.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/kit/axis_lines.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// What `count_labels` finds.
struct LabelCount {
  Index first_bad = -1;  ///< the first label out of range, or -1
  Index counted = 0;     ///< labels that are not ignored
};

/// Kernel: looks for labels outside [0, classes), and counts those inside.
template <int M>
LabelCount count_labels(Cpu, Index classes, int ignore_index, View<const int, M> labels) {
  const Index n = labels.size(), pieces = (n + chunk - 1) / chunk;
  const Scratch<LabelCount> scratch(pieces);
  LabelCount* const found = scratch.data();
  parallel_for(pieces, n, [&](Index piece) {
    LabelCount here;
    const Index end = std::min(n, (piece + 1) * chunk);
    for (Index i = piece * chunk; i < end; ++i) {
      const int label = labels.data[i];
      if (label == ignore_index) continue;
      if (label >= 0 && label < classes)
        ++here.counted;
      else if (here.first_bad < 0)
        here.first_bad = i;
    }
    found[piece] = here;
  });
  LabelCount all;
  for (Index piece = 0; piece < pieces; ++piece) {
    all.counted += found[piece].counted;
    if (all.first_bad < 0) all.first_bad = found[piece].first_bad;
  }
  return all;
}

/// How the terms of a loss on classes are weighted.
template <class T>
struct ClassTerms {
  View<const T, 1> weights;  ///< one per class; no memory: all 1
  int ignore_index;
  T smoothing;  ///< share of the target spread over all classes
  bool mean;    ///< divide by the weights of the labels that count

  EBB_HD T weight(Index c) const { return weights.data != nullptr ? weights.data[c] : T(1); }
  EBB_HD bool counts(int label) const { return label != ignore_index; }
};

namespace detail {

/// The weights of the labels that count, added up.
template <class T, int M>
T sum_of_weights(const ClassTerms<T>& terms, View<const int, M> labels) {
  return fold_all<T>(labels.size(), 1, AddUp{}, [&](Index i) {
    return terms.counts(labels.data[i]) ? terms.weight(labels.data[i]) : T(0);
  });
}

}  // namespace detail

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
EBB_COMPILED(LabelCount count_labels<1>(Cpu, Index, int, View<const int, 1>))

}  // namespace ebb::kernel
