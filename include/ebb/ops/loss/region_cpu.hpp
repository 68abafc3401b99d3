/// \file
/// The kernels of losses on how far regions overlap. They see probabilities p of (samples, classes,
/// elements) and what is true, g: 1 where an element's label is the class, or a mask. From three
/// sums a sample and class, of p g, p and g, follow the loss and its slopes; from those, gradients.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/math.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/fold.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// What is summed of a class: the soft counterparts of counts.
struct RegionSum {
  enum Which : Index { both, predicted, truth };
};

/// 1 - (B + s) / (B + alpha (P - B) + beta (G - B) + s), B, P and G the sums of p g, p and g: one
/// minus Tversky's index, with false positives counting alpha and false negatives beta.
struct TverskyTerm {
  double alpha, beta, smooth;
  Index first;  ///< classes before this one do not count

  /// The loss of one group of (classes, 3) sums, and its slopes by B and P: (classes, 2).
  template <class T>
  EBB_HD T operator()(Index classes, T, const T* sums, T* slopes) const {
    const T a = T(alpha), b = T(beta), s = T(smooth), counted = T(classes - first);
    T loss = T(0);
    for (Index c = 0; c < classes; ++c) {
      slopes[2 * c] = slopes[2 * c + 1] = T(0);
      if (c < first) continue;
      const T together = sums[3 * c + RegionSum::both];
      const T over = together + s;
      const T under = (T(1) - a - b) * together + a * sums[3 * c + RegionSum::predicted] +
                      b * sums[3 * c + RegionSum::truth] + s;
      if (under <= T(0)) continue;  // nothing predicted, nothing true: nothing wrong
      loss += (T(1) - over / under) / counted;
      slopes[2 * c] = (over * (T(1) - a - b) / under - T(1)) / under / counted;
      slopes[2 * c + 1] = over * a / under / under / counted;
    }
    return loss;
  }
};

/// 1 - (2 sum w B + s) / (sum w (P + G) + s), with w = 1 / G^2 of each class, the largest of these
/// for a class that does not occur; of a mask, over the foreground and the background.
struct GeneralisedDiceTerm {
  double smooth;
  Index first;
  bool mask;  ///< each channel is a foreground of its own

  template <class T>
  EBB_HD T operator()(Index classes, T elements, const T* sums, T* slopes) const {
    T loss = T(0);
    if (!mask) return among(classes - first, sums + 3 * first, zeroed(slopes), first);
    for (Index c = 0; c < classes; ++c) {
      const T *const sum = sums + 3 * c, p = sum[RegionSum::predicted], g = sum[RegionSum::truth];
      const T two[6] = {
          sum[RegionSum::both], p,           g, elements - p - g + sum[RegionSum::both],
          elements - p,         elements - g};
      T slope[4];
      loss += among(2, two, slope, 0) / T(classes);
      // The background's sums follow from the foreground's.
      slopes[2 * c] = (slope[0] + slope[2]) / T(classes);
      slopes[2 * c + 1] = (slope[1] - slope[2] - slope[3]) / T(classes);
    }
    return loss;
  }

 private:
  template <class T>
  EBB_HD T* zeroed(T* slopes) const {
    for (Index i = 0; i < 2 * first; ++i) slopes[i] = T(0);
    return slopes;
  }
  /// Among `n` classes; their slopes are left from class `at` on. 1 / G^2 of a class with next to
  /// no mass (a soft mask's) is beyond the range of T: then G is counted in a smaller unit, above
  /// and below the line, a power of two so that nothing is rounded.
  template <class T>
  EBB_HD T among(Index n, const T* sums, T* slopes, Index at) const {
    slopes += 2 * at;
    T least = T(0);
    for (Index c = 0; c < n; ++c) least = smaller_positive(least, sums[3 * c + RegionSum::truth]);
    T units = T(1);  // in one
    while (least > T(0) && least * units < T(1) / T(256) && math::is_finite(units * T(256)))
      units *= T(256);
    const T largest = weight(least * units), s = T(smooth) / units / units;
    T over = s, under = s;
    for (Index c = 0; c < n; ++c) {
      const T g = sums[3 * c + RegionSum::truth], w = g > T(0) ? weight(g * units) : largest;
      over += T(2) * w * sums[3 * c + RegionSum::both];
      under += w * (sums[3 * c + RegionSum::predicted] + g);
    }
    const bool any = !(under <= T(0));  // nan travels
    for (Index c = 0; c < n; ++c) {
      const T g = sums[3 * c + RegionSum::truth], w = g > T(0) ? weight(g * units) : largest;
      slopes[2 * c] = any ? -T(2) * w / under : T(0);
      slopes[2 * c + 1] = any ? w * over / under / under : T(0);
    }
    return any ? T(1) - over / under : T(0);
  }
  template <class T>
  EBB_HD static T weight(T g) {
    return g > T(0) ? T(1) / (g * g) : T(0);
  }
  /// The smaller of two, of which those that are not positive do not count.
  template <class T>
  EBB_HD static T smaller_positive(T a, T b) {
    return b > T(0) && (b < a || !(a > T(0))) ? b : a;
  }
};

namespace detail {

/// The three sums of every sample and class, in one parallel loop over pieces of them.
/// `terms(plane, add)` calls `add(which, term)` for each, `term(k)` the summand of element k.
template <class T, class Terms>
void region_fold(View<const T, 3> p, View<T, 3> sums, const Terms& terms) {
  const Index planes = p.extent(0) * p.extent(1), n = p.extent(2);
  const Index pieces = std::max<Index>(1, divide_up(n, chunk)), items = planes * pieces;
  const Index per_task = pieces > 1 ? 1 : std::max<Index>(1, chunk / std::max<Index>(1, n));
  const Scratch<T> scratch(3 * items);
  T* const partial = scratch.data();
  vector_for(divide_up(items, per_task), 6 * planes * n, [&](Index task) {
    for (Index item = task * per_task; item < std::min(items, (task + 1) * per_task); ++item) {
      const Index begin = item % pieces * chunk, end = std::min(begin + chunk, n);
      T* const to = partial + 3 * item;
      terms(item / pieces, [&](RegionSum::Which which, const auto& term) {
        to[which] = fold<T>(AddUp{}, term, begin, end);
      });
    }
  });
  for (Index i = 0; i < 3 * planes; ++i)
    sums.data[i] = join_parts(AddUp{}, partial + 3 * pieces * (i / 3) + i % 3, pieces, 3);
}

}  // namespace detail

/// Kernel: the sums (samples, classes, 3), for labels (samples, elements). Elements whose label is
/// the ignored one are in no sum.
template <class T>
void region_sums(Cpu, int ignore_index, View<const T, 3> p, View<const int, 2> labels,
                 View<T, 3> sums) {
  const Index classes = p.extent(1), n = p.extent(2);
  detail::region_fold(p, sums, [&](Index plane, const auto& add) {
    const int wanted = static_cast<int>(plane % classes);
    const bool never = wanted == ignore_index;  // the number of a class may be the ignored one
    const T* const from = p.data + plane * n;
    const int* const label = labels.data + plane / classes * n;
    add(RegionSum::both, [=](Index k) { return label[k] == wanted && !never ? from[k] : T(0); });
    add(RegionSum::predicted, [=](Index k) { return label[k] != ignore_index ? from[k] : T(0); });
    add(RegionSum::truth, [=](Index k) { return T(label[k] == wanted && !never ? 1 : 0); });
  });
}

/// Kernel: the same for masks of the shape of p.
template <class T>
void region_sums(Cpu, View<const T, 3> p, View<const T, 3> mask, View<T, 3> sums) {
  const Index n = p.extent(2);
  detail::region_fold(p, sums, [&](Index plane, const auto& add) {
    const T* const from = p.data + plane * n;
    const T* const is = mask.data + plane * n;
    add(RegionSum::both, [=](Index k) { return from[k] * is[k]; });
    add(RegionSum::predicted, [=](Index k) { return from[k]; });
    add(RegionSum::truth, [=](Index k) { return is[k]; });
  });
}

/// Kernel: the mean loss over groups, and its slopes (groups, classes, 2). A group is a sample, or
/// all of them, whose sums are then added into those of the first.
template <class T, class Term>
void region_loss(Cpu, const Term& term, Index elements, View<T, 3> sums, View<T, 3> slopes,
                 View<T, 0> y) {
  const Index groups = slopes.extent(0), classes = slopes.extent(1), samples = sums.extent(0);
  if (groups != samples) {
    for (Index n = 1; n < samples; ++n)
      for (Index i = 0; i < 3 * classes; ++i) sums.data[i] += sums.data[3 * classes * n + i];
    elements *= samples;
  }
  T total = T(0);
  for (Index n = 0; n < groups; ++n)
    total += term(classes, T(elements), sums.data + 3 * classes * n, slopes.data + 2 * classes * n);
  for (Index i = 0; i < slopes.size(); ++i) slopes.data[i] = slopes.data[i] / T(groups);
  y.data[0] = total / T(groups);
}

namespace detail {

/// Calls `f(plane, slopes, i, first, count)` for runs of elements of one sample and class.
template <class T, class F>
void region_runs(View<const T, 3> slopes, const Into<T, 3>& dp, const F& f) {
  const Index classes = dp.shape[1], n = dp.shape[2];
  const bool apart = slopes.extent(0) > 1;
  parallel_ranges(dp.size(), 2, [&](Index begin, Index end) {
    for (Index at = begin; at < end;) {
      const Index plane = at / n, first = at - plane * n;
      const Index count = end - at < n - first ? end - at : n - first;
      const Index group = apart ? plane / classes : 0;
      f(plane, slopes.data + 2 * (group * classes + plane % classes), at, first, count);
      at += count;
    }
  });
}

/// dp[k] = value(k), or adds it.
template <class T, class Value>
void region_put(T* dp, Index count, bool add, const Value& value) {
  if (add) {
    EBB_SIMD
    for (Index k = 0; k < count; ++k) dp[k] += value(k);
  } else {
    EBB_SIMD
    for (Index k = 0; k < count; ++k) dp[k] = value(k);
  }
}

}  // namespace detail

/// Kernel: dp = dy (slope by B where the label is the class, plus slope by P); 0 where ignored.
template <class T>
void region_backward(Cpu, int ignore_index, View<const int, 2> labels, View<const T, 3> slopes,
                     View<const T, 0> dy, Into<T, 3> dp) {
  const T scale = dy.data[0];
  const Index classes = dp.shape[1], n = dp.shape[2];
  detail::region_runs(slopes, dp, [&](Index plane, const T* s, Index at, Index first, Index count) {
    const int wanted = static_cast<int>(plane % classes);
    const int* const label = labels.data + plane / classes * n + first;
    const T inside = scale * (s[0] + s[1]), outside = scale * s[1];
    detail::region_put(dp.data + at, count, dp.add, [=](Index k) {
      return label[k] == ignore_index ? T(0) : label[k] == wanted ? inside : outside;
    });
  });
}

/// Kernel: dp = dy (slope by B times the mask, plus slope by P).
template <class T>
void region_backward(Cpu, View<const T, 3> mask, View<const T, 3> slopes, View<const T, 0> dy,
                     Into<T, 3> dp) {
  const T scale = dy.data[0];
  detail::region_runs(slopes, dp, [&](Index, const T* s, Index at, Index, Index count) {
    const T* const is = mask.data + at;
    const T by_both = scale * s[0], by_predicted = scale * s[1];
    detail::region_put(dp.data + at, count, dp.add,
                       [=](Index k) { return by_both * is[k] + by_predicted; });
  });
}

}  // namespace ebb::kernel
