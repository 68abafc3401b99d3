/// \file
/// The kernels of the negative log likelihood, on CUDA.
#pragma once

#include <ebb/ops/loss/classes_cuda.cuh>
#include <ebb/ops/loss/nll_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// A line's share of the loss: its term is one of its numbers.
template <class T>
struct NllTerms {
  LabelCheck<T> check;
  const T* x;
  Index inner;
  gpu::Faults* faults;
  template <class I>
  EBB_DEVICE LossSum<T> operator()(I, const I (&at)[1], I) const {
    const Index i = static_cast<Index>(at[0]);
    const int label = check.labels[i];
    if (!check.counts(label, i, faults)) return {T(0), T(0), 0};
    const T w = check.terms.weight(label);
    return {-w * x[(i / inner * check.classes + label) * inner + i % inner], w, 1};
  }
};

template <class I, class T>
EBB_KERNEL nll_grad_kernel(LabelCheck<T> check, I n, gpu::Divisor<I> inner, gpu::Divisor<I> classes,
                           const T* norm, const T* dy, T* dx, bool add) {
  const T scale = dy[0] / norm[0];
  const I step = gpu::threads_as<I>();
  for (I i = gpu::thread_as<I>(); i < n; i += step) {
    const I row = inner.quotient(i), block = classes.quotient(row);
    const int label = check.labels[block * inner.by + (i - row * inner.by)];
    const bool here = check.counts(label) && static_cast<I>(label) == row - block * classes.by;
    const T d = here ? -scale * check.terms.weight(label) : T(0);
    dx[i] = add ? dx[i] + d : d;
  }
}

}  // namespace detail

/// Kernel: y = -sum w_l x_l / norm, norm = sum w_l for a mean, else 1.
template <class T, int N, int M>
void nll_forward(Cuda, const ClassTerms<T>& terms, View<const T, N> x, View<const int, M> labels,
                 View<T, 0> norm, View<T, 0> y) {
  gpu::Faults* const faults = gpu::faults();
  const detail::LabelCheck<T> check{terms, labels.data, x.extent(1)};
  fold_on_gpu<detail::LossSum<T>>(detail::line_loop(labels.size()), detail::JoinLossSum{},
                                  detail::NllTerms<T>{check, x.data, x.shape.stride(1), faults},
                                  detail::StoreLoss<T>{terms.mean, norm.data, y.data, faults});
}

/// Kernel: dx_l = -w_l dy / norm, and 0 for the other classes.
template <class T, int N, int M>
void nll_backward(Cuda, const ClassTerms<T>& terms, View<const int, M> labels,
                  View<const T, 0> norm, View<const T, 0> dy, Into<T, N> dx) {
  const detail::LinePlan plan(dx.shape, 1);
  if (plan.size == 0) return;
  gpu::with_index(plan.size, [&]<class I>(I) {
    gpu::launch(gpu::blocks_for(plan.size), gpu::block_size, 0, detail::nll_grad_kernel<I, T>,
                detail::LabelCheck<T>{terms, labels.data, plan.n}, static_cast<I>(plan.size),
                gpu::Divisor<I>(plan.inner), gpu::Divisor<I>(plan.n), norm.data, dy.data, dx.data,
                dx.add);
  });
}

}  // namespace ebb::kernel
