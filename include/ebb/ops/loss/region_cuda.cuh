/// \file
/// The kernels of losses on overlap on CUDA: the three sums of each sample and class are one fold
/// that reads every probability once; the fractions, of a few numbers a class, are the work of one
/// block; the gradient is one pass over the elements.
#pragma once

#include <ebb/ops/loss/classes_cuda.cuh>
#include <ebb/ops/loss/region_cpu.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

template <class T>
struct RegionTotal {
  T both, predicted, truth;
};
struct JoinRegions {
  template <class A>
  EBB_HD static A neutral() {
    return {0, 0, 0};
  }
  template <class A>
  EBB_HD A operator()(const A& a, const A& b) const {
    return {a.both + b.both, a.predicted + b.predicted, a.truth + b.truth};
  }
};

/// What element `at` of a sample and class adds to its sums, by its label.
template <class T>
struct LabelledRegions {
  const T* p;
  const int* labels;
  Index classes, elements;
  int ignore_index;
  gpu::Faults* faults;
  template <class I>
  EBB_DEVICE RegionTotal<T> operator()(I plane, const I (&at)[1], I element) const {
    const I sample = plane / static_cast<I>(classes);
    const int wanted = static_cast<int>(plane - sample * static_cast<I>(classes));
    const Index line = static_cast<Index>(sample) * elements + static_cast<Index>(element);
    const int label = labels[line];
    if (label == ignore_index) return {T(0), T(0), T(0)};
    if (wanted == 0 && (label < 0 || label >= classes))
      gpu::report_bad_label(faults, line, label, classes, ignore_index);
    const T value = p[at[0]];
    return {label == wanted ? value : T(0), value, T(label == wanted ? 1 : 0)};
  }
};
template <class T>
struct MaskedRegions {
  const T *p, *mask;
  template <class I>
  EBB_DEVICE RegionTotal<T> operator()(I, const I (&at)[1], I) const {
    const T value = p[at[0]], is = mask[at[0]];
    return {value * is, value, is};
  }
};
template <class T>
struct StoreRegion {
  T* sums;
  template <class I>
  EBB_DEVICE void operator()(I plane, const RegionTotal<T>& total) const {
    T* const to = sums + 3 * static_cast<Index>(plane);
    to[RegionSum::both] = total.both;
    to[RegionSum::predicted] = total.predicted;
    to[RegionSum::truth] = total.truth;
  }
};

/// The loop over (samples, classes, elements) that is folded over elements.
inline Loop<4, 2> region_loop(const Shape<3>& shape) {
  Loop<4, 2> loop;
  loop.push(shape[0] * shape[1], {1, shape[2]});
  loop.push(shape[2], {0, 1});
  return loop;
}

/// Tells when no region has an element, which is when every label is the ignored one; one block.
template <class T>
EBB_KERNEL any_region_kernel(Index planes, const T* sums, gpu::Faults* faults) {
  T mine = T(0);
  for (Index i = threadIdx.x; i < planes; i += gpu::block_size)
    mine += sums[3 * i + RegionSum::truth];
  mine = join_group<gpu::block_size>(AddUp{}, mine);
  if (threadIdx.x == 0 && mine == T(0)) gpu::report_no_label(faults);
}

/// One block: adds up the samples where they are one group, then a thread takes each group.
template <class T, class Term>
EBB_KERNEL region_loss_kernel(Term term, Index samples, Index groups, Index classes, T elements,
                              T* sums, T* slopes, T* y) {
  if (groups != samples)
    for (Index i = threadIdx.x; i < 3 * classes; i += gpu::block_size) {
      T total = sums[i];
      for (Index n = 1; n < samples; ++n) total += sums[3 * classes * n + i];
      sums[i] = total;
    }
  __syncthreads();
  T mine = T(0);
  for (Index n = threadIdx.x; n < groups; n += gpu::block_size) {
    T* const to = slopes + 2 * classes * n;
    mine += term(classes, elements, sums + 3 * classes * n, to);
    for (Index i = 0; i < 2 * classes; ++i) to[i] = to[i] / T(groups);
  }
  mine = join_group<gpu::block_size>(AddUp{}, mine);
  if (threadIdx.x == 0) y[0] = mine / T(groups);
}

/// Where the slopes of a sample and class lie: of its own, or of the class in the whole batch.
template <class I>
EBB_DEVICE I region_slopes(I plane, I sample, I classes, bool apart) {
  return 2 * (apart ? plane : plane - sample * classes);
}

template <class I, class T>
EBB_KERNEL labelled_region_grad_kernel(I n, gpu::Divisor<I> elements, gpu::Divisor<I> classes,
                                       bool apart, int ignore_index, const int* labels,
                                       const T* slopes, const T* dy, T* dp, bool add) {
  const T scale = dy[0];
  const I step = gpu::threads_as<I>();
  for (I i = gpu::thread_as<I>(); i < n; i += step) {
    const I plane = elements.quotient(i), sample = classes.quotient(plane);
    const int label = labels[sample * elements.by + (i - plane * elements.by)];
    const T* const s = slopes + region_slopes(plane, sample, static_cast<I>(classes.by), apart);
    T d = T(0);
    if (label != ignore_index)
      d = static_cast<int>(plane - sample * classes.by) == label ? scale * (s[0] + s[1])
                                                                 : scale * s[1];
    dp[i] = add ? dp[i] + d : d;
  }
}

template <class I, class T>
EBB_KERNEL masked_region_grad_kernel(I n, gpu::Divisor<I> elements, gpu::Divisor<I> classes,
                                     bool apart, const T* mask, const T* slopes, const T* dy, T* dp,
                                     bool add) {
  const T scale = dy[0];
  const I step = gpu::threads_as<I>();
  for (I i = gpu::thread_as<I>(); i < n; i += step) {
    const I plane = elements.quotient(i), sample = classes.quotient(plane);
    const T* const s = slopes + region_slopes(plane, sample, static_cast<I>(classes.by), apart);
    const T d = scale * s[0] * mask[i] + scale * s[1];
    dp[i] = add ? dp[i] + d : d;
  }
}

}  // namespace detail

/// Kernel: as on the CPU. Two launches, three where a class is cut in parts.
template <class T>
void region_sums(Cuda, int ignore_index, View<const T, 3> p, View<const int, 2> labels,
                 View<T, 3> sums) {
  gpu::Faults* const faults = gpu::faults();
  fold_on_gpu<detail::RegionTotal<T>>(detail::region_loop(p.shape), detail::JoinRegions{},
                                      detail::LabelledRegions<T>{p.data, labels.data, p.extent(1),
                                                                 p.extent(2), ignore_index, faults},
                                      detail::StoreRegion<T>{sums.data});
  gpu::launch(1, gpu::block_size, 0, detail::any_region_kernel<T>, p.extent(0) * p.extent(1),
              sums.data, faults);
}

/// Kernel: the same for masks of the shape of p.
template <class T>
void region_sums(Cuda, View<const T, 3> p, View<const T, 3> mask, View<T, 3> sums) {
  fold_on_gpu<detail::RegionTotal<T>>(detail::region_loop(p.shape), detail::JoinRegions{},
                                      detail::MaskedRegions<T>{p.data, mask.data},
                                      detail::StoreRegion<T>{sums.data});
}

/// Kernel: the mean loss over groups, and its slopes.
template <class T, class Term>
void region_loss(Cuda, const Term& term, Index elements, View<T, 3> sums, View<T, 3> slopes,
                 View<T, 0> y) {
  const Index samples = sums.extent(0), groups = slopes.extent(0);
  if (groups != samples) elements *= samples;
  gpu::launch(1, gpu::block_size, 0, detail::region_loss_kernel<T, Term>, term, samples, groups,
              slopes.extent(1), static_cast<T>(elements), sums.data, slopes.data, y.data);
}

/// Kernel: dp = dy (slope by B where the label is the class, plus slope by P); 0 where ignored.
template <class T>
void region_backward(Cuda, int ignore_index, View<const int, 2> labels, View<const T, 3> slopes,
                     View<const T, 0> dy, Into<T, 3> dp) {
  const Index size = dp.size();
  if (size == 0) return;
  gpu::with_index(size, [&]<class I>(I) {
    gpu::launch(gpu::blocks_for(size), gpu::block_size, 0,
                detail::labelled_region_grad_kernel<I, T>, static_cast<I>(size),
                gpu::Divisor<I>(dp.shape[2]), gpu::Divisor<I>(dp.shape[1]), slopes.extent(0) > 1,
                ignore_index, labels.data, slopes.data, dy.data, dp.data, dp.add);
  });
}

/// Kernel: dp = dy (slope by B times the mask, plus slope by P).
template <class T>
void region_backward(Cuda, View<const T, 3> mask, View<const T, 3> slopes, View<const T, 0> dy,
                     Into<T, 3> dp) {
  const Index size = dp.size();
  if (size == 0) return;
  gpu::with_index(size, [&]<class I>(I) {
    gpu::launch(gpu::blocks_for(size), gpu::block_size, 0, detail::masked_region_grad_kernel<I, T>,
                static_cast<I>(size), gpu::Divisor<I>(dp.shape[2]), gpu::Divisor<I>(dp.shape[1]),
                slopes.extent(0) > 1, mask.data, slopes.data, dy.data, dp.data, dp.add);
  });
}

}  // namespace ebb::kernel
