/// \file
/// Permutation of axes on CUDA. Where the last axis stays last, or an axis is so short that tiles
/// would be mostly empty, threads follow the result and fetch from wherever its elements are. Else
/// tiles pass through shared memory, so that both sides are read and written along rows: Ruetsch &
/// Micikevicius, "Optimizing matrix transpose in CUDA", NVIDIA 2009.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/shape/permute/joined_axes.hpp>

#include <utility>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// At most N axes in the order of the result; how far a step along each leads on both sides.
template <int N, class I>
struct PermutedAxes {
  gpu::Divisor<I> extent[N];
  I from[N]{}, to[N]{};
  int rank;

  /// All axes of `axes` but `first` and `second`; strides count packs of `pack` elements, and the
  /// last axis, where it is among them, is `pack` times shorter.
  PermutedAxes(const JoinedAxes<N>& axes, int first, int second, Index pack)
      : PermutedAxes(axes, first, second, pack, std::make_index_sequence<N>()) {}

  /// Where the element number i, counted along these axes, is on both sides.
  EBB_DEVICE void place(I i, I& at_from, I& at_to) const {
    at_from = at_to = 0;
    EBB_UNROLL
    for (int k = N - 1; k >= 0; --k) {
      if (k >= rank) continue;
      const I rest = extent[k].quotient(i), index = i - rest * extent[k].by;
      at_from += index * from[k];
      at_to += index * to[k];
      i = rest;
    }
  }

 private:
  template <std::size_t... k>
  PermutedAxes(const JoinedAxes<N>& axes, int first, int second, Index pack,
               std::index_sequence<k...>)
      : extent{gpu::Divisor<I>(extent_of(axes, nth(axes, first, second, k), pack))...}, rank(0) {
    for (int a = 0; a < axes.rank; ++a) {
      if (a == first || a == second) continue;
      const bool last = a == axes.rank - 1;
      from[rank] = static_cast<I>(last ? axes.from[a] : axes.from[a] / pack);
      to[rank++] = static_cast<I>(last ? axes.to[a] : axes.to[a] / pack);
    }
  }
  /// The k-th of the axes left, or -1.
  static int nth(const JoinedAxes<N>& axes, int first, int second, std::size_t k) {
    for (int a = 0; a < axes.rank; ++a)
      if (a != first && a != second && k-- == 0) return a;
    return -1;
  }
  static Index extent_of(const JoinedAxes<N>& axes, int a, Index pack) {
    if (a < 0) return 1;
    return a == axes.rank - 1 ? axes.extent[a] / pack : axes.extent[a];
  }
};

/// A thread writes a pack of the result (one element, where the operand's are not neighbours).
template <int V, int N, class I, class T>
EBB_KERNEL permute_gather_kernel(I packs, PermutedAxes<N, I> axes, const T* x, T* y, bool add) {
  for (I q = gpu::thread_as<I>(); q < packs; q += gpu::threads_as<I>()) {
    I from, to;
    axes.place(q, from, to);
    gpu::Pack<T, V> pack = gpu::load_pack<V>(x + from * static_cast<I>(V));
    T* const target = y + to * static_cast<I>(V);
    if (add) {
      const gpu::Pack<T, V> there = gpu::load_pack<V>(target);
      EBB_UNROLL
      for (int k = 0; k < V; ++k) pack[k] = there[k] + pack[k];
    }
    gpu::store_pack(target, pack);
  }
}

inline constexpr int permute_tile = 32;

/// A block turns a tile: columns, along which the operand is contiguous, become rows, along which
/// the result is.
template <class I>
struct PermuteTiles {
  I columns, length;              ///< extents of those axes
  I from_stride, to_stride;       ///< from row to row of the operand, of the result
  gpu::Divisor<I> across, along;  ///< tiles of `columns`, of `length`
};

template <int N, class I, class T>
EBB_KERNEL EBB_BOUNDS(gpu::block_size)
    permute_tiles_kernel(PermuteTiles<I> g, PermutedAxes<N, I> outer, const T* x, T* y, bool add) {
  constexpr int size = permute_tile, rows_at_once = gpu::block_size / size;
  EBB_SHARED(T, tile, [size][size + 1]);  // one more, so that a column is in 32 banks
  const auto block = static_cast<I>(blockIdx.x);
  const I pair = g.across.quotient(block), one = g.along.quotient(pair);
  const I j0 = (block - pair * g.across.by) * size, l0 = (pair - one * g.along.by) * size;
  I from, to;
  outer.place(one, from, to);
  const auto lane = static_cast<int>(threadIdx.x) % size,
             row = static_cast<int>(threadIdx.x) / size;
  EBB_UNROLL
  for (int step = 0; step < size; step += rows_at_once) {
    const int r = row + step;
    const I l = l0 + static_cast<I>(r), j = j0 + static_cast<I>(lane);
    if (l < g.length && j < g.columns) tile[r][lane] = x[from + l * g.from_stride + j];
  }
  __syncthreads();
  EBB_UNROLL
  for (int step = 0; step < size; step += rows_at_once) {
    const int r = row + step;
    const I j = j0 + static_cast<I>(r), l = l0 + static_cast<I>(lane);
    if (l >= g.length || j >= g.columns) continue;
    T* const target = y + to + j * g.to_stride + l;
    *target = add ? *target + tile[lane][r] : tile[lane][r];
  }
}

template <int N, class T>
void permute_gather(const JoinedAxes<N>& axes, Index size, const T* x, T* y, bool add) {
  const int last = axes.rank - 1;
  // Packs, where rows stay rows, and all of them begin at a multiple of 16 bytes.
  constexpr Index full = gpu::pack_of<T>;
  bool packs = axes.from[last] == 1 && axes.extent[last] % full == 0 && gpu::packable(x, y);
  for (int k = 0; k < last; ++k) packs = packs && axes.from[k] % full == 0;
  gpu::with_pack_and_index<T>(packs, size, [&]<int V, class I>(std::integral_constant<int, V>, I) {
    gpu::launch(gpu::blocks_for(size / V), gpu::block_size, 0, permute_gather_kernel<V, N, I, T>,
                static_cast<I>(size / V), PermutedAxes<N, I>(axes, -1, -1, V), x, y, add);
  });
}

template <int N, class T>
void permute_tiles(const JoinedAxes<N>& axes, int contiguous, Index size, const T* x, T* y,
                   bool add) {
  const int last = axes.rank - 1;
  const Index columns = axes.extent[contiguous], length = axes.extent[last];
  const Index across = divide_up(columns, permute_tile);
  const Index along = divide_up(length, permute_tile);
  gpu::with_index(size, [&]<class I>(I) {
    const PermuteTiles<I> g{static_cast<I>(columns),         static_cast<I>(length),
                            static_cast<I>(axes.from[last]), static_cast<I>(axes.to[contiguous]),
                            gpu::Divisor<I>(across),         gpu::Divisor<I>(along)};
    gpu::launch(static_cast<unsigned>(size / columns / length * across * along), gpu::block_size, 0,
                permute_tiles_kernel<N, I, T>, g, PermutedAxes<N, I>(axes, contiguous, last, 1), x,
                y, add);
  });
}

}  // namespace detail

/// Kernel: y[i0, i1, ...] = x at the sum of i_k stride_k.
template <class T, int N>
void permute_copy(Cuda, const PermuteGeometry<N>& g, View<const T, N> x, Into<T, N> y) {
  const Index size = y.size();
  if (size == 0) return;
  const detail::JoinedAxes<N> axes(g);
  const int last = axes.rank - 1;
  int contiguous = last;  // the axis of the result along which the operand is contiguous
  for (int k = 0; k < last; ++k)
    if (axes.from[k] == 1) contiguous = k;
  constexpr Index narrow = 12;  // tiles would waste more than reads that are not coalesced
  if (contiguous == last || axes.extent[contiguous] < narrow || axes.extent[last] < narrow)
    detail::permute_gather(axes, size, x.data, y.data, y.add);
  else
    detail::permute_tiles(axes, contiguous, size, x.data, y.data, y.add);
}

}  // namespace ebb::kernel
