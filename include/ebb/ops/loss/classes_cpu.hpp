/// \file
/// What the kernels of losses on class numbers share. Classes lie on axis 1; a line is one sample,
/// or one pixel of it.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/kit/axis_lines.hpp>
#include <ebb/kit/counting.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// What `count_labels` finds.
struct LabelCount {
  Index first_bad = -1;  ///< the first label out of range, or -1
  Index counted = 0;     ///< labels that are not ignored
};

/// Kernel: looks for labels outside [0, classes), and counts those inside.
template <int M>
LabelCount count_labels(Cpu, Index classes, int ignore_index, View<const int, M> labels) {
  const Index n = labels.size(), pieces = divide_up(n, chunk);
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

EBB_COMPILED(LabelCount count_labels<1>(Cpu, Index, int, View<const int, 1>))

}  // namespace ebb::kernel
