/// \file
/// The nested loops of kit/loop.hpp on CUDA: threads find from their number alone where
/// they stand in each array.
#pragma once

#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/kit/loop.hpp>

#include <utility>

namespace ebb::inline EBB_ABI::kernel::detail {

/// R axes at most, and how far a step along each moves in K arrays, as kernels see them.
template <class I, int K, int R>
struct Steps {
  gpu::Divisor<I> extent[R];
  I stride[R][K];
  int rank;

  /// Of array `first` of the loop and the ones after it.
  template <int A>
  Steps(const Loop<R, A>& loop, int first) : Steps(loop, first, std::make_index_sequence<R>()) {}

  /// Adds where `position` is in each array. The outermost axis needs no division, so a loop whose
  /// axes were all merged needs none.
  EBB_DEVICE void find(I position, I (&at)[K]) const {
    EBB_UNROLL
    for (int axis = R - 1; axis > 0; --axis) {
      if (axis >= rank) continue;
      const I rest = extent[axis].quotient(position);
      const I index = position - rest * extent[axis].by;
      EBB_UNROLL
      for (int k = 0; k < K; ++k) at[k] += index * stride[axis][k];
      position = rest;
    }
    EBB_UNROLL
    for (int k = 0; k < K; ++k) at[k] += position * stride[0][k];
  }

 private:
  template <int A, std::size_t... axis>
  Steps(const Loop<R, A>& loop, int first, std::index_sequence<axis...>)
      : extent{gpu::Divisor<I>(loop.extent[axis] > 0 ? loop.extent[axis] : 1)...}, rank(loop.rank) {
    for (int a = 0; a < R; ++a)
      for (int k = 0; k < K; ++k) stride[a][k] = static_cast<I>(loop.stride[a][first + k]);
  }
};

/// Calls body(i, at) for every element i of a loop, `at` being where it lies in K arrays.
template <class I, int K, int R, class Body>
EBB_KERNEL walk_kernel(Body body, Steps<I, K, R> steps, I n) {
  const I step = gpu::threads_as<I>();
  for (I i = gpu::thread_as<I>(); i < n; i += step) {
    I at[K]{};
    steps.find(i, at);
    body(i, at);
  }
}

/// Runs `body` over the loop: array 0 is contiguous and is i itself, the others are in `at`.
template <int R, int A, class Body>
void walk_on_gpu(const Loop<R, A>& loop, const Body& body) {
  const Index n = loop.size();
  if (n == 0) return;
  gpu::with_index(n, [&]<class I>(I) {
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, walk_kernel<I, A - 1, R, Body>, body,
                Steps<I, A - 1, R>(loop, 1), static_cast<I>(n));
  });
}

}  // namespace ebb::kernel::detail
