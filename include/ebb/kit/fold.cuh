/// \file
/// Reductions on CUDA: folding values along some axes of a loop, with a tree that depends on the
/// extents alone, never on the machine.
///
/// They wait for memory. Each element is read once, neighbouring threads read neighbouring elements
/// whichever axes are folded, and a thread keeps four loads under way, so that 2048 threads of a
/// multiprocessor have 32 KiB on their way where 15 KiB cover the latency of an H100: that is what
/// 85 % of the bandwidth of a copy takes. Long sums are cut in parts of 4096 and more, so that some
/// thousand blocks share them, and a second launch joins the parts. A sum thus goes through some
/// hundred additions at most, most of them in a tree: float keeps five digits and more.
#pragma once

#include <ebb/device/cuda/scratch.cuh>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/loop.cuh>

#include <algorithm>
#include <type_traits>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// The value of the lane `apart` away; of any type made of 32-bit words.
template <class A>
EBB_DEVICE A from_lane(const A& value, int apart) {
  if constexpr (std::is_arithmetic_v<A>) {
    return __shfl_xor_sync(0xffffffffu, value, apart);
  } else {
    static_assert(sizeof(A) % 4 == 0);
    A other;
    unsigned words[sizeof(A) / 4];
    std::memcpy(words, &value, sizeof(A));
    EBB_UNROLL
    for (unsigned& word : words) word = __shfl_xor_sync(0xffffffffu, word, apart);
    std::memcpy(&other, words, sizeof(A));
    return other;
  }
}

/// Joins the values of G neighbouring threads, a power of two: part of a warp, or a whole block of
/// them, where G is the size of the block. Every thread of a warp receives the same bits, because
/// joins are symmetric. Of a block all threads must call it, and it may be called once only unless
/// there is a barrier in between.
template <int G, class A, class Join>
EBB_DEVICE A join_group(const Join& join, A value) {
  EBB_UNROLL
  for (int apart = (G < 32 ? G : 32) / 2; apart > 0; apart /= 2)
    value = join(value, from_lane(value, apart));
  if constexpr (G > 32) {
    EBB_SHARED(A, of_warp, [G / 32]);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
    __syncthreads();
    value = of_warp[0];
    EBB_UNROLL
    for (int warp = 1; warp < G / 32; ++warp) value = join(value, of_warp[warp]);
  }
  return value;
}

/// How many parts each fold is cut in, and how long one is.
struct Parts {
  Index count = 1, length;

  /// `length` values each for `results` folds, that are cut in multiples of `least`; some thousand
  /// parts in all are enough.
  Parts(Index whole, Index results, Index least) : length(whole) {
    const Index room = std::max<Index>(1, 1024 / std::max<Index>(1, results));
    const Index wanted = std::min(room, divide_up(whole, least));
    if (wanted <= 1) return;
    length = (whole + wanted * least - 1) / (wanted * least) * least;
    count = divide_up(whole, length);
  }
};

/// Folds rows: G threads take one part of one fold. `values(result, at, f)` is element f of a
/// result, which lies at `at` in K arrays; `store(where, total)` receives result or part `where`.
template <int G, class A, class I, int K, int R, class Join, class Values, class Store>
EBB_KERNEL fold_rows_kernel(Join join, Values values, Store store, Steps<I, K, R> kept,
                            Steps<I, K, R> folded, I items, I length, gpu::Divisor<I> parts,
                            I part_length) {
  constexpr I together = 4;
  const I lane = threadIdx.x % G;
  const I item = static_cast<I>(blockIdx.x) * (gpu::block_size / G) + threadIdx.x / G;
  const bool live = item < items;
  A total[together];
  EBB_UNROLL
  for (I u = 0; u < together; ++u) total[u] = Join::template neutral<A>();
  if (live) {
    const I result = parts.quotient(item), part = item - result * parts.by;
    I base[K]{};
    kept.find(result, base);
    const auto value = [&](I f) {
      I at[K];
      EBB_UNROLL
      for (int k = 0; k < K; ++k) at[k] = base[k];
      folded.find(f, at);
      return static_cast<A>(values(result, at, f));
    };
    const I begin = part * part_length;
    const I end = length - begin < part_length ? length : begin + part_length;
    I f = begin + lane;
    for (; f + (together - 1) * G < end; f += together * G) {
      A next[together];
      EBB_UNROLL
      for (I u = 0; u < together; ++u) next[u] = value(f + u * G);
      EBB_UNROLL
      for (I u = 0; u < together; ++u) total[u] = join(total[u], next[u]);
    }
    for (; f < end; f += G) total[0] = join(total[0], value(f));
  }
  const A all = join_group<G>(join, join(join(total[0], total[1]), join(total[2], total[3])));
  if (live && lane == 0) store(item, all);
}

/// Folds columns, where neighbouring results lie side by side in memory: a block takes `wide` of
/// them (a power of two), and its other threads stand in neighbouring rows.
template <class A, class I, int K, int R, class Join, class Values, class Store>
EBB_KERNEL fold_columns_kernel(Join join, Values values, Store store, Steps<I, K, R> kept,
                               Steps<I, K, R> folded, I width, I rows, gpu::Divisor<I> parts,
                               I part_rows, gpu::Divisor<I> tiles, int wide) {
  constexpr I together = 4;
  EBB_SHARED(A, joined, [gpu::block_size]);
  const int t = static_cast<int>(threadIdx.x), high = gpu::block_size / wide;
  const int x = t % wide, y = t / wide;
  const I line = tiles.quotient(blockIdx.x), tile = blockIdx.x - line * tiles.by;
  const I outer = parts.quotient(line), part = line - outer * parts.by;
  const I column = tile * static_cast<I>(wide) + static_cast<I>(x), result = outer * width + column;
  A total[together];
  EBB_UNROLL
  for (I u = 0; u < together; ++u) total[u] = Join::template neutral<A>();
  if (column < width) {
    I base[K]{};
    kept.find(result, base);
    const auto value = [&](I f) {
      I at[K];
      EBB_UNROLL
      for (int k = 0; k < K; ++k) at[k] = base[k];
      folded.find(f, at);
      return static_cast<A>(values(result, at, f));
    };
    const I begin = part * part_rows, end = rows - begin < part_rows ? rows : begin + part_rows;
    const I step = static_cast<I>(high);
    I f = begin + static_cast<I>(y);
    for (; f + (together - 1) * step < end; f += together * step) {
      A next[together];
      EBB_UNROLL
      for (I u = 0; u < together; ++u) next[u] = value(f + u * step);
      EBB_UNROLL
      for (I u = 0; u < together; ++u) total[u] = join(total[u], next[u]);
    }
    for (; f < end; f += step) total[0] = join(total[0], value(f));
  }
  joined[t] = join(join(total[0], total[1]), join(total[2], total[3]));
  for (int apart = high / 2; apart > 0; apart /= 2) {
    __syncthreads();
    if (y < apart) joined[t] = join(joined[t], joined[t + apart * wide]);
  }
  if (y == 0 && column < width) store(line * width + column, joined[t]);
}

/// Parts of folds as the values of another fold.
template <class A>
struct Partial {
  const A* of;
  template <class I, int K>
  EBB_DEVICE A operator()(I, const I (&at)[K], I) const {
    return of[at[0]];
  }
};
template <class A>
struct StorePartial {
  A* to;
  template <class I>
  EBB_DEVICE void operator()(I where, const A& total) const {
    to[where] = total;
  }
};

template <class A, class I, int K, int R, class Join, class Values, class Store>
void fold_rows(const Join& join, const Values& values, const Store& store, const Loop<R, K>& kept,
               const Loop<R, K>& folded, Index results, Index length, const Parts& parts) {
  const Index items = results * parts.count;
  const auto run = [&]<int G>(std::integral_constant<int, G>) {
    constexpr Index a_block = gpu::block_size / G;
    gpu::launch(static_cast<unsigned>(divide_up(items, a_block)), gpu::block_size, 0,
                fold_rows_kernel<G, A, I, K, R, Join, Values, Store>, join, values, store,
                Steps<I, K, R>(kept, 0), Steps<I, K, R>(folded, 0), static_cast<I>(items),
                static_cast<I>(length), gpu::Divisor<I>(parts.count), static_cast<I>(parts.length));
  };
  if (parts.length <= 32)
    run(std::integral_constant<int, 8>{});
  else if (parts.length <= 1024)
    run(std::integral_constant<int, 32>{});
  else
    run(std::integral_constant<int, gpu::block_size>{});
}

template <class A, class I, int K, int R, class Join, class Values, class Store>
void fold_columns(const Join& join, const Values& values, const Store& store,
                  const Loop<R, K>& kept, const Loop<R, K>& folded, Index results, Index width,
                  Index rows, const Parts& parts) {
  const int wide = width > 16 ? 32 : width > 8 ? 16 : 8;
  const Index tiles = divide_up(width, wide), blocks = results / width * parts.count * tiles;
  gpu::launch(static_cast<unsigned>(blocks), gpu::block_size, 0,
              fold_columns_kernel<A, I, K, R, Join, Values, Store>, join, values, store,
              Steps<I, K, R>(kept, 0), Steps<I, K, R>(folded, 0), static_cast<I>(width),
              static_cast<I>(rows), gpu::Divisor<I>(parts.count), static_cast<I>(parts.length),
              gpu::Divisor<I>(tiles), wide);
}

}  // namespace detail

/// Folds `values` over every axis along which array 0 of the loop, the result's, does not move; K
/// other arrays are walked. A is what values gather in. `store(result, total)` receives each result
/// once, numbered as it lies in its contiguous array. A functor, both: kernels take no lambdas.
template <class A, int R, int K1, class Join, class Values, class Store>
void fold_on_gpu(const Loop<R, K1>& loop, const Join& join, const Values& values,
                 const Store& store) {
  constexpr int K = K1 - 1;
  Loop<R, K> kept, folded;
  for (int axis = 0; axis < loop.rank; ++axis) {
    Index step[K];
    for (int k = 0; k < K; ++k) step[k] = loop.stride[axis][k + 1];
    (loop.stride[axis][0] != 0 ? kept : folded).push(loop.extent[axis], step);
  }
  const Index results = kept.size(), length = folded.size();
  if (results == 0) return;
  const bool columns = loop.rank > 0 && loop.step(0) != 0;
  const Index width = columns ? loop.width() : 1;
  const detail::Parts parts = columns ? detail::Parts(length, (results + 31) / 32, 64)
                                      : detail::Parts(length, results, 4096);
  gpu::with_index(std::max(loop.size(), results * parts.count), [&]<class I>(I) {
    const auto fold = [&](const auto& into, const detail::Parts& cut) {
      if (columns)
        detail::fold_columns<A, I>(join, values, into, kept, folded, results, width, length, cut);
      else
        detail::fold_rows<A, I>(join, values, into, kept, folded, results, length, cut);
    };
    if (parts.count == 1) return fold(store, parts);
    CudaScratch<A> scratch(results * parts.count);
    fold(detail::StorePartial<A>{scratch.data()}, parts);
    Loop<R, 1> outer, cut;
    outer.push(results / width, {parts.count * width});
    outer.push(width, {1});
    cut.push(parts.count, {width});
    const detail::Partial<A> partial{scratch.data()};
    detail::Parts whole(parts.count, results, parts.count);
    if (columns)
      detail::fold_columns<A, I>(join, partial, store, outer, cut, results, width, parts.count,
                                 whole);
    else
      detail::fold_rows<A, I>(join, partial, store, outer, cut, results, parts.count, whole);
  });
}

}  // namespace ebb::kernel
