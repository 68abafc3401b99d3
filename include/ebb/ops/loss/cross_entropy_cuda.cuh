/// \file
/// The kernels of cross entropy with class numbers, on CUDA.
#pragma once

#include <ebb/ops/loss/classes_cuda.cuh>
#include <ebb/ops/loss/cross_entropy_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// A line's share of the loss, from its term.
template <class T>
struct LineTerms {
  LabelCheck<T> check;
  const T* term;
  template <class I>
  EBB_DEVICE LossSum<T> operator()(I, const I (&at)[1], I) const {
    const int label = check.labels[at[0]];
    if (!check.counts(label)) return {T(0), T(0), 0};
    return {term[at[0]], check.terms.weight(label), 1};
  }
};
/// The term of one line of logits, from its largest x and the rest of log sum e^x. Of the threads
/// that share the line each has its part of the classes; the label's is looked up.
template <class T>
struct LineTerm {
  LabelCheck<T> check;
  T *largest, *rest, *term;
  gpu::Faults* faults;

  /// The weights of the classes times their terms, for the part of a thread.
  EBB_DEVICE bool smooths() const { return check.terms.smoothing != T(0); }

  EBB_DEVICE void store(Index line, T top, T log, T at_label, bool counts, T spread_out) const {
    largest[line] = top;
    rest[line] = log;
    T t = T(0);
    if (counts) {
      const ClassTerms<T>& terms = check.terms;
      t = (T(1) - terms.smoothing) * terms.weight(check.labels[line]) * (top - at_label + log);
      if (smooths()) t += terms.smoothing / T(check.classes) * spread_out;
    }
    term[line] = t;
  }
};

/// Lines that stay in registers. Where one block holds all of them it also adds them up.
template <int G, int K, class I, class T>
EBB_KERNEL cross_entropy_kernel(LineTerm<T> out, I lines, I n, gpu::Divisor<I> inner, const T* x,
                                StoreLoss<T> loss) {
  const LinePlace<G, I> place(lines, n, inner);
  T v[K];
  load_line(place, x, Largest::neutral<T>(), v);
  const MaxSum<T> line = max_sum_of<G>(v, count_of(place));
  const T log = math::log(line.sum);
  T part = T(0);
  if (out.smooths()) {
    EBB_UNROLL
    for (int k = 0; k < K; ++k)
      if (place.has(k))
        part += out.check.terms.weight(static_cast<Index>(place.lane) + k * G) *
                (line.largest - v[k] + log);
    if constexpr (G > 32) __syncthreads();
    part = join_group<G>(AddUp{}, part);
  }
  LossSum<T> mine{T(0), T(0), 0};
  if (place.live && place.lane == 0) {
    const Index i = static_cast<Index>(place.line);
    const int label = out.check.labels[i];
    const bool counts = out.check.counts(label, i, out.faults);
    const T at_label = counts ? x[place.first + static_cast<I>(label) * place.apart] : T(0);
    out.store(i, line.largest, log, at_label, counts, part);
    if (counts) mine = {out.term[i], out.check.terms.weight(label), 1};
  }
  if (gridDim.x > 1) return;
  mine = join_group<gpu::block_size>(JoinLossSum{}, mine);
  if (threadIdx.x == 0) loss(0, mine);
}

template <class I, class T>
EBB_KERNEL long_cross_entropy_kernel(LineTerm<T> out, I lines, I n, gpu::Divisor<I> inner, int wide,
                                     const T* x) {
  const LongLine<I, T> place(lines, n, inner, wide);
  const MaxSum<T> line = place.max_sum(x);
  const T log = math::log(line.sum);
  T part = T(0);
  if (out.smooths()) {
    if (place.live)
      for (I k = place.lane; k < n; k += place.lanes)
        part += out.check.terms.weight(static_cast<Index>(k)) *
                (line.largest - x[place.first + k * place.apart] + log);
    part = place.joined(AddUp{}, part);
  }
  if (!place.live || place.lane != 0) return;
  const Index i = static_cast<Index>(place.line);
  const int label = out.check.labels[i];
  const bool counts = out.check.counts(label, i, out.faults);
  const T at_label = counts ? x[place.first + static_cast<I>(label) * place.apart] : T(0);
  out.store(i, line.largest, log, at_label, counts, part);
}

/// All class weights added up, by one block.
template <class T>
EBB_KERNEL class_weights_kernel(ClassTerms<T> terms, Index classes, T* sum) {
  T mine = T(0);
  for (Index c = threadIdx.x; c < classes; c += gpu::block_size) mine += terms.weight(c);
  mine = join_group<gpu::block_size>(AddUp{}, mine);
  if (threadIdx.x == 0) sum[0] = mine;
}

/// Softmax and the gradient in one pass: each element is read once and written once.
template <class I, class T>
EBB_KERNEL cross_entropy_grad_kernel(LabelCheck<T> check, I n, I lines, gpu::Divisor<I> inner,
                                     gpu::Divisor<I> classes, const T* x, const T* log_sum,
                                     const T* norm, const T* dy, const T* all_weights, T* dx,
                                     bool add) {
  const ClassTerms<T>& terms = check.terms;
  const T scale = dy[0] / norm[0], share = terms.smoothing / T(check.classes);
  const T sure = T(1) - terms.smoothing;
  const T all = all_weights != nullptr ? all_weights[0] : T(check.classes);
  const I step = gpu::threads_as<I>();
  for (I i = gpu::thread_as<I>(); i < n; i += step) {
    const I row = inner.quotient(i), block = classes.quotient(row);
    const I c = row - block * classes.by, line = block * inner.by + (i - row * inner.by);
    const int label = check.labels[line];
    T d = T(0);
    if (check.counts(label)) {  // an ignored line may hold what it likes, nan too
      const T by_softmax = scale * (sure * terms.weight(label) + share * all);
      d = by_softmax * math::exp_or_zero(x[i] - log_sum[line] - log_sum[lines + line]);
      if (share != T(0)) d -= scale * share * terms.weight(static_cast<Index>(c));
      if (static_cast<I>(label) == c) d -= scale * sure * terms.weight(label);
    }
    dx[i] = add ? dx[i] + d : d;
  }
}

}  // namespace detail

/// Kernel: as on the CPU. Two launches, or one where a block holds all lines.
template <class T, int N, int M>
void cross_entropy_forward(Cuda, const ClassTerms<T>& terms, View<const T, N> x,
                           View<const int, M> labels, View<T, 2> log_sum, View<T, 0> norm,
                           View<T, 0> y) {
  const detail::LinePlan plan(x.shape, 1);
  gpu::Faults* const faults = gpu::faults();
  const CudaScratch<T> term(plan.lines);
  const detail::LabelCheck<T> check{terms, labels.data, plan.n};
  const detail::LineTerm<T> out{check, log_sum.data, log_sum.data + plan.lines, term.data(),
                                faults};
  const detail::StoreLoss<T> loss{terms.mean, norm.data, y.data, faults};
  bool done = false;
  if (plan.lines > 0)
    gpu::with_index(plan.size, [&]<class I>(I) {
      const auto lines = static_cast<I>(plan.lines), n = static_cast<I>(plan.n);
      const gpu::Divisor<I> inner(plan.inner);
      plan.choose(
          [&]<int G, int K>(std::integral_constant<int, G>, std::integral_constant<int, K>,
                            unsigned blocks) {
            gpu::launch(blocks, gpu::block_size, 0, detail::cross_entropy_kernel<G, K, I, T>, out,
                        lines, n, inner, x.data, loss);
            done = blocks == 1;
          },
          [&](int wide, unsigned blocks) {
            gpu::launch(blocks, gpu::block_size, 0, detail::long_cross_entropy_kernel<I, T>, out,
                        lines, n, inner, wide, x.data);
          });
    });
  if (!done)
    fold_on_gpu<detail::LossSum<T>>(detail::line_loop(plan.lines), detail::JoinLossSum{},
                                    detail::LineTerms<T>{check, term.data()}, loss);
}

/// Kernel: dx_c = dy / norm * ((1 - s) w_l (p_c - [c = l]) + s / C (p_c sum_k w_k - w_c)), p the
/// softmax of the line.
template <class T, int N, int M>
void cross_entropy_backward(Cuda, const ClassTerms<T>& terms, View<const T, N> x,
                            View<const int, M> labels, View<const T, 2> log_sum,
                            View<const T, 0> norm, View<const T, 0> dy, Into<T, N> dx) {
  const detail::LinePlan plan(x.shape, 1);
  if (plan.size == 0) return;
  const bool weighs = terms.smoothing != T(0) && terms.weights.data != nullptr;
  const CudaScratch<T> sum(1);
  if (weighs)
    gpu::launch(1, gpu::block_size, 0, detail::class_weights_kernel<T>, terms, plan.n, sum.data());
  gpu::with_index(plan.size, [&]<class I>(I) {
    gpu::launch(
        gpu::blocks_for(plan.size), gpu::block_size, 0, detail::cross_entropy_grad_kernel<I, T>,
        detail::LabelCheck<T>{terms, labels.data, plan.n}, static_cast<I>(plan.size),
        static_cast<I>(plan.lines), gpu::Divisor<I>(plan.inner), gpu::Divisor<I>(plan.n), x.data,
        log_sum.data, norm.data, dy.data, weighs ? sum.data() : nullptr, dx.data, dx.add);
  });
}

}  // namespace ebb::kernel
