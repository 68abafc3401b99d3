/// \file
/// The kernels of losses on class numbers. Classes lie on axis 1; a line is one sample, or one
/// pixel of it.
#pragma once

#include <ebb/ops/softmax/cpu.hpp>

namespace ebb {

/// What `count_labels` finds.
struct LabelCount {
  Index first_bad = -1;  ///< the first label out of range, or -1
  Index counted = 0;     ///< labels that are not ignored
};

/// Joins the counts of neighbouring pieces.
struct JoinLabelCounts {
  template <class T>
  static T neutral() {
    return {};
  }
  LabelCount operator()(LabelCount a, LabelCount b) const {
    const bool first = a.first_bad >= 0 && (b.first_bad < 0 || a.first_bad < b.first_bad);
    return {first ? a.first_bad : b.first_bad, a.counted + b.counted};
  }
};

/// Kernel: looks for labels outside [0, classes), and counts those inside.
template <int M>
LabelCount count_labels(Cpu, Index classes, int ignore_index, View<const int, M> labels) {
  return fold_all<LabelCount>(labels.size(), 1, JoinLabelCounts{}, [=](Index i) {
    const int label = labels.data[i];
    if (label == ignore_index) return LabelCount{};
    return label >= 0 && label < classes ? LabelCount{-1, 1} : LabelCount{i, 0};
  });
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
  lines.for_tiles(8, [&](Index first, Index line, auto count) {
    const T* const from = x.data + first;
    detail::log_sum_exp(from, lines.n, lines.inner, count, largest + line, rest + line);
    for (Index j = 0; j < count; ++j) {
      const int label = labels.data[line + j];
      const T m = largest[line + j], r = rest[line + j];
      term[line + j] = T(0);
      if (!terms.counts(label)) continue;
      T t =
          (T(1) - terms.smoothing) * terms.weight(label) * (m - from[label * lines.inner + j] + r);
      if (terms.smoothing != T(0)) {
        T spread_out = T(0);
        for (Index c = 0; c < lines.n; ++c)
          spread_out += terms.weight(c) * (m - from[c * lines.inner + j] + r);
        t += terms.smoothing / T(lines.n) * spread_out;
      }
      term[line + j] = t;
    }
  });
  norm.data[0] = terms.mean ? detail::sum_of_weights(terms, labels) : T(1);
  y.data[0] = fold_all<T>(count_lines, 1, AddUp{}, [=](Index i) { return term[i]; }) / norm.data[0];
}

/// Kernel: dx_c = dy / norm * ((1 - s) w_l (p_c - [c = l]) + s / C (p_c sum_k w_k - w_c)), p the
/// softmax of the line.
template <class T, int N, int M>
void cross_entropy_grad(Cpu, const ClassTerms<T>& terms, View<const T, N> x,
                        View<const int, M> labels, View<const T, 2> log_sum, View<const T, 0> norm,
                        View<const T, 0> dy, Into<T, N> dx) {
  using std::exp;
  const AxisLines lines(x.shape, 1);
  const T* const largest = log_sum.data;
  const T* const rest = log_sum.data + labels.size();
  const T scale = dy.data[0] / norm.data[0];
  const T share = terms.smoothing / T(lines.n), sure = T(1) - terms.smoothing;
  T all_weights = T(0);
  for (Index c = 0; c < lines.n; ++c) all_weights += terms.weight(c);

  lines.for_tiles(8, [&](Index first, Index line, auto count) {
    T by_softmax[AxisLines::tile], by_weight[AxisLines::tile];
    for (Index j = 0; j < count; ++j) {
      const int label = labels.data[line + j];
      const bool counts = terms.counts(label);
      by_softmax[j] = counts ? scale * (sure * terms.weight(label) + share * all_weights) : T(0);
      by_weight[j] = counts ? scale * share : T(0);
    }
    for (Index c = 0; c < lines.n; ++c) {
      const Index row = first + c * lines.inner;
      const T weight = terms.weight(c);
      for (Index j = 0; j < count; ++j) {
        const T p = exp(x.data[row + j] - largest[line + j] - rest[line + j]);
        const bool counts = terms.counts(labels.data[line + j]);
        dx.put(row + j, counts ? by_softmax[j] * p - by_weight[j] * weight : T(0));
      }
    }
    for (Index j = 0; j < count; ++j) {
      const int label = labels.data[line + j];
      if (terms.counts(label))
        dx.data[first + label * lines.inner + j] -= scale * sure * terms.weight(label);
    }
  });
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
void nll_grad(Cpu, const ClassTerms<T>& terms, View<const int, M> labels, View<const T, 0> norm,
              View<const T, 0> dy, Into<T, N> dx) {
  const AxisLines lines(dx.shape, 1);
  const T scale = dy.data[0] / norm.data[0];
  lines.for_tiles(1, [&](Index first, Index line, auto count) {
    if (!dx.add)
      for (Index c = 0; c < lines.n; ++c)
        for (Index j = 0; j < count; ++j) dx.data[first + c * lines.inner + j] = T(0);
    for (Index j = 0; j < count; ++j) {
      const int label = labels.data[line + j];
      if (terms.counts(label))
        dx.data[first + label * lines.inner + j] -= scale * terms.weight(label);
    }
  });
}

}  // namespace ebb
