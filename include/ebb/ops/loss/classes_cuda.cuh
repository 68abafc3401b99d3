/// \file
/// What the kernels of losses on class numbers share, on CUDA. Labels are looked at where they are
/// used: one that is no class is left out, and noted for the host to throw about at the next
/// read-back (device/cuda/state.cuh), so that a step never waits for the GPU.
#pragma once

#include <ebb/device/cuda/state.cuh>
#include <ebb/kit/axis_lines.cuh>
#include <ebb/ops/loss/classes_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// Kernel: as if every label were a class; the kernels of the losses find those that are not, and
/// that none counts.
template <int M>
LabelCount count_labels(Cuda, Index, int, View<const int, M> labels) {
  return {-1, labels.size()};
}

namespace detail {

/// Whether a label is a class, with what the loss does about others.
template <class T>
struct LabelCheck {
  ClassTerms<T> terms;
  const int* labels;
  Index classes;

  EBB_DEVICE bool valid(int label) const { return label >= 0 && label < classes; }
  EBB_DEVICE bool counts(int label) const { return terms.counts(label) && valid(label); }
  /// Whether line i counts; if `faults`, notes a label that is neither a class nor ignored.
  EBB_DEVICE bool counts(int label, Index i, gpu::Faults* faults) const {
    if (!terms.counts(label)) return false;
    if (valid(label)) return true;
    gpu::report_bad_label(faults, i, label, classes, terms.ignore_index);
    return false;
  }
};

/// What is added up over lines: their terms, the weights of their labels, and how many count.
template <class T>
struct LossSum {
  T term, weight;
  int counted;
};
struct JoinLossSum {
  template <class A>
  EBB_HD static A neutral() {
    return {0, 0, 0};
  }
  template <class A>
  EBB_HD A operator()(const A& a, const A& b) const {
    // (Whether any line counts is all that is asked: no number of them overflows.)
    return {a.term + b.term, a.weight + b.weight, a.counted | b.counted};
  }
};

/// The loss, and what it was divided by.
template <class T>
struct StoreLoss {
  bool mean;
  T *norm, *y;
  gpu::Faults* faults;
  template <class I>
  EBB_DEVICE void operator()(I, const LossSum<T>& sum) const {
    norm[0] = mean ? sum.weight : T(1);
    y[0] = sum.term / norm[0];
    if (mean && sum.counted == 0) gpu::report_no_label(faults);
  }
};

/// The loop over `n` lines that are added up to one result.
inline Loop<4, 2> line_loop(Index n) {
  Loop<4, 2> loop;
  loop.push(n, {0, 1});
  return loop;
}

}  // namespace detail

}  // namespace ebb::kernel
