/// \file
/// The focal loss on CUDA: a fold over labels that looks up the log-probability of each, and one
/// pass over the elements for the gradient.
#pragma once

#include <ebb/ops/loss/classes_cuda.cuh>
#include <ebb/ops/loss/focal_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// A label's share of the loss; what counts is how many labels do, not their weights.
template <class T>
struct FocalTerms {
  FocalTerm term;
  LabelCheck<T> check;
  const T* x;
  Index inner;
  gpu::Faults* faults;
  template <class I>
  EBB_DEVICE LossSum<T> operator()(I, const I (&at)[1], I) const {
    const Index i = static_cast<Index>(at[0]);
    const int label = check.labels[i];
    if (!check.counts(label, i, faults)) return {T(0), T(0), 0};
    const T at_label = x[focal_place(i, label, check.classes, inner)];
    return {check.terms.weight(label) * term.value(at_label), T(1), 1};
  }
};

template <class I, class T>
EBB_KERNEL focal_grad_kernel(FocalTerm term, LabelCheck<T> check, I n, gpu::Divisor<I> inner,
                             gpu::Divisor<I> classes, const T* x, const T* norm, const T* dy, T* dx,
                             bool add) {
  const T scale = dy[0] / norm[0];
  const I step = gpu::threads_as<I>();
  for (I i = gpu::thread_as<I>(); i < n; i += step) {
    const I row = inner.quotient(i), block = classes.quotient(row);
    const int label = check.labels[block * inner.by + (i - row * inner.by)];
    T d = T(0);
    if (check.counts(label) && static_cast<I>(label) == row - block * classes.by)
      d = scale * check.terms.weight(label) * term.slope(x[i]);
    dx[i] = add ? dx[i] + d : d;
  }
}

}  // namespace detail

/// Kernel: as on the CPU.
template <class T>
void focal_forward(Cuda, const FocalTerm& term, const ClassTerms<T>& terms, View<const T, 3> x,
                   View<const int, 2> labels, View<T, 0> norm, View<T, 0> y) {
  gpu::Faults* const faults = gpu::faults();
  const detail::LabelCheck<T> check{terms, labels.data, x.extent(1)};
  fold_on_gpu<detail::LossSum<T>>(detail::line_loop(labels.size()), detail::JoinLossSum{},
                                  detail::FocalTerms<T>{term, check, x.data, x.extent(2), faults},
                                  detail::StoreLoss<T>{terms.mean, norm.data, y.data, faults});
}

/// Kernel: dx_l = w_l times the term's slope dy / norm, and 0 for the other classes.
template <class T>
void focal_backward(Cuda, const FocalTerm& term, const ClassTerms<T>& terms, View<const T, 3> x,
                    View<const int, 2> labels, View<const T, 0> norm, View<const T, 0> dy,
                    Into<T, 3> dx) {
  const Index size = dx.size();
  if (size == 0) return;
  gpu::with_index(size, [&]<class I>(I) {
    gpu::launch(gpu::blocks_for(size), gpu::block_size, 0, detail::focal_grad_kernel<I, T>, term,
                detail::LabelCheck<T>{terms, labels.data, dx.shape[1]}, static_cast<I>(size),
                gpu::Divisor<I>(dx.shape[2]), gpu::Divisor<I>(dx.shape[1]), x.data, norm.data,
                dy.data, dx.data, dx.add);
  });
}

}  // namespace ebb::kernel
