/// \file
/// Running sums along lines of one axis, on CUDA. The threads that share a line take one element
/// each and sum them up in doubling steps (Hillis & Steele, "Data parallel algorithms",
/// Communications of the ACM 29(12), 1986). Then they go on with the next elements, from the sum so
/// far.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/kit/axis_lines.cuh>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/lanes.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

template <bool from_end, class I, class T>
EBB_KERNEL running_sums_kernel(I lines, I n, gpu::Divisor<I> inner, int wide, const T* x, T* y,
                               bool add) {
  using W = Wide<T>;
  EBB_SHARED(W, sums, [gpu::block_size]);
  const LongLine<I, T> line(lines, n, inner, wide);
  const int t = static_cast<int>(threadIdx.x), lane = static_cast<int>(line.lane);
  const int lanes = static_cast<int>(line.lanes);
  W before = W(0);
  for (I first = 0; first < n; first += line.lanes) {
    const I k = first + line.lane;
    const bool there = line.live && k < n;
    const I at = line.first + (from_end ? n - 1 - k : k) * line.apart;
    W sum = there ? static_cast<W>(x[at]) : W(0);
    sums[t] = sum;
    for (int apart = 1; apart < lanes; apart *= 2) {
      __syncthreads();
      const W more = lane >= apart ? sums[t - apart * wide] : W(0);
      __syncthreads();
      sums[t] = sum = sum + more;
    }
    __syncthreads();
    if (there) {
      const T total = static_cast<T>(before + sum);
      y[at] = add ? y[at] + total : total;
    }
    before += sums[t + (lanes - 1 - lane) * wide];
    __syncthreads();  // before the next elements take their place
  }
}

template <bool from_end, class T, int N>
void running_sums_on_gpu(int axis, const Shape<N>& shape, const T* x, T* y, bool add) {
  const LinePlan plan(shape, axis);
  if (plan.size == 0) return;
  const int wide = plan.inner > 1 ? 32 : 1;
  gpu::with_index(plan.size, [&]<class I>(I) {
    gpu::launch(static_cast<unsigned>(divide_up(plan.lines, wide)), gpu::block_size, 0,
                running_sums_kernel<from_end, I, T>, static_cast<I>(plan.lines),
                static_cast<I>(plan.n), gpu::Divisor<I>(plan.inner), wide, x, y, add);
  });
}

}  // namespace detail

/// Kernel: y_i = x_0 + ... + x_i along the axis.
template <class T, int N>
void cumsum_forward(Cuda, int axis, View<const T, N> x, View<T, N> y) {
  detail::running_sums_on_gpu<false>(axis, y.shape, x.data, y.data, false);
}

/// Kernel: dx_i = dy_i + ... + dy_n along the axis.
template <class T, int N>
void cumsum_backward(Cuda, int axis, View<const T, N> dy, Into<T, N> dx) {
  detail::running_sums_on_gpu<true>(axis, dx.shape, dy.data, dx.data, dx.add);
}

}  // namespace ebb::kernel
