/// \file
/// The kernels of the focal loss.
#pragma once

#include <ebb/device/math.hpp>
#include <ebb/ops/loss/classes_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// u^gamma, without `pow` for the usual exponents.
template <class T>
EBB_HD T focal_power(T u, double gamma) {
  using std::pow;
  if (gamma == 2) return u * u;
  if (gamma == 1) return u;
  if (gamma == 0) return T(1);
  return u <= T(0) ? T(0) : pow(u, T(gamma));
}

/// Its slope, gamma u^(gamma - 1). Where u is 0 an infinite slope counts as 0: it is multiplied by
/// the cross entropy, which falls as fast as u does.
template <class T>
EBB_HD T focal_power_slope(T u, double gamma) {
  using std::pow;
  if (gamma == 2) return T(2) * u;
  if (gamma == 1) return T(1);
  if (gamma == 0) return T(0);
  return u <= T(0) ? T(0) : T(gamma) * pow(u, T(gamma - 1));
}

/// The term of one element, of x = log p of its class: -(1 - p)^gamma x, and its slope by x.
struct FocalTerm {
  double gamma;

  template <class T>
  EBB_HD T value(T x) const {
    using std::expm1;
    return -focal_power(-expm1(x), gamma) * x;
  }
  template <class T>
  EBB_HD T slope(T x) const {
    using std::expm1;
    const T u = -expm1(x);
    // x / u tends to -1 where p tends to 1, so that small exponents do no harm.
    const T ratio = u <= T(0) ? T(-1) : x / u;
    return -focal_power(u, gamma) * (T(1) - T(gamma) * (T(1) - u) * ratio);
  }
};

namespace detail {

/// Where the class `label` of line i lies.
EBB_HD inline Index focal_place(Index i, int label, Index classes, Index inner) {
  return (i / inner * classes + label) * inner + i % inner;
}

}  // namespace detail

/// Kernel: y = sum of w_l times the terms of x_l / norm, for log-probabilities x (samples, classes,
/// elements); norm = the number of labels that count for a mean, else 1.
template <class T>
void focal_forward(Cpu, const FocalTerm& term, const ClassTerms<T>& terms, View<const T, 3> x,
                   View<const int, 2> labels, View<T, 0> norm, View<T, 0> y) {
  const Index n = labels.size(), classes = x.extent(1), inner = x.extent(2);
  norm.data[0] = terms.mean
                     ? fold_all<T>(n, 1, AddUp{},
                                   [&](Index i) { return T(terms.counts(labels.data[i]) ? 1 : 0); })
                     : T(1);
  y.data[0] =
      fold_all<T>(n, 16, AddUp{},
                  [&](Index i) {
                    const int label = labels.data[i];
                    if (!terms.counts(label)) return T(0);
                    return terms.weight(label) *
                           term.value(x.data[detail::focal_place(i, label, classes, inner)]);
                  }) /
      norm.data[0];
}

/// Kernel: dx_l = w_l times the term's slope dy / norm, and 0 for the other classes.
template <class T>
void focal_backward(Cpu, const FocalTerm& term, const ClassTerms<T>& terms, View<const T, 3> x,
                    View<const int, 2> labels, View<const T, 0> norm, View<const T, 0> dy,
                    Into<T, 3> dx) {
  const Index classes = dx.shape[1], inner = dx.shape[2];
  const T scale = dy.data[0] / norm.data[0];
  parallel_ranges(labels.size(), 16 + classes, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const int label = labels.data[i];
      if (!dx.add)
        for (Index c = 0; c < classes; ++c)
          dx.data[detail::focal_place(i, static_cast<int>(c), classes, inner)] = T(0);
      if (!terms.counts(label)) continue;
      const Index at = detail::focal_place(i, label, classes, inner);
      dx.data[at] += scale * terms.weight(label) * term.slope(x.data[at]);
    }
  });
}

}  // namespace ebb::kernel
