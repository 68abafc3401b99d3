/// \file
/// Lines along one axis on CUDA, of n elements that lie `inner` apart: how threads share them, and
/// their largest number and sum of exponentials.
///
/// Kernels of lines wait for memory. Lines of up to 4096 elements are read once, and stay in the
/// registers of the threads that share one: half a warp, a warp or a block. Where short lines lie
/// side by side each has one thread, so that neighbouring threads read neighbouring numbers. Longer
/// lines are read twice, the second time from the cache unless they are very long; their maximum
/// and sum are found in one pass (Milakov & Gimelshein, "Online normalizer calculation for
/// softmax", arXiv:1805.02867, 2018). Sixteen loads a thread under way are more than the latency of
/// memory asks for, so the speed should be close to that of a copy.
#pragma once

#include <ebb/kit/axis_lines.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/fold.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

/// The largest number of some, and the sum of e^(x - largest).
template <class T>
struct MaxSum {
  T largest, sum;

  EBB_HD static MaxSum none() { return {Largest::neutral<T>(), T(0)}; }
};
struct JoinMaxSum {
  template <class T>
  EBB_HD MaxSum<T> operator()(const MaxSum<T>& a, const MaxSum<T>& b) const {
    const T top = Largest{}(a.largest, b.largest);
    return {top, scaled(a, top) + scaled(b, top)};
  }

 private:
  /// (Of nothing, the largest is -infinity, and the difference may be not-a-number.)
  template <class T>
  EBB_HD static T scaled(const MaxSum<T>& part, T top) {
    return part.sum == T(0) ? T(0) : part.sum * math::exp_or_zero(part.largest - top);
  }
};

/// Where a thread stands: it has elements lane, lane + G, ... of a line.
template <int G, class I>
struct LinePlace {
  I line, lane, n, first, apart;
  bool live;

  EBB_DEVICE LinePlace(I lines, I elements, const gpu::Divisor<I>& inner)
      : line(static_cast<I>(blockIdx.x) * (gpu::block_size / G) + threadIdx.x / G),
        lane(threadIdx.x % G),
        n(elements),
        apart(inner.by),
        live(line < lines) {
    const I block = inner.quotient(line);
    first = block * n * inner.by + (line - block * inner.by);
  }
  /// Where the k-th element of this thread lies, and whether there is one.
  EBB_DEVICE I at(int k) const { return first + (lane + static_cast<I>(k) * G) * apart; }
  EBB_DEVICE bool has(int k) const { return live && lane + static_cast<I>(k) * G < n; }
};

/// The thread's elements of a line, in registers; `rest` beyond its end.
template <int K, class T, class Place>
EBB_DEVICE void load_line(const Place& place, const T* x, T rest, T (&v)[K]) {
  EBB_UNROLL
  for (int k = 0; k < K; ++k) v[k] = place.has(k) ? x[place.at(k)] : rest;
}

/// Largest and sum of e^(x - largest) of a line that G threads hold, K elements each, beyond the
/// end -infinity; v becomes x - largest.
template <int G, int K, class T>
EBB_DEVICE MaxSum<T> max_sum_of(const T (&v)[K], int count) {
  T top = v[0];
  EBB_UNROLL
  for (int k = 1; k < K; ++k) top = Largest{}(top, v[k]);
  top = join_group<G>(Largest{}, top);
  T sum[4] = {};
  EBB_UNROLL
  for (int k = 0; k < K; ++k)
    if (k < count) sum[k % 4] += math::exp_or_zero(v[k] - top);
  if constexpr (G > 32) __syncthreads();
  return {top, join_group<G>(AddUp{}, (sum[0] + sum[1]) + (sum[2] + sum[3]))};
}
template <int G, class I>
EBB_DEVICE int count_of(const LinePlace<G, I>& place) {
  return place.live && place.lane < place.n ? static_cast<int>((place.n - place.lane + (G - 1)) / G)
                                            : 0;
}

/// Long lines: `wide` of them in a block (1, or 32 that lie side by side), the other threads along
/// each.
template <class I, class T>
struct LongLine {
  I line, n, first, apart, lane, lanes;
  int wide;
  bool live;

  EBB_DEVICE LongLine(I lines, I elements, const gpu::Divisor<I>& inner, int side_by_side)
      : line(static_cast<I>(blockIdx.x) * static_cast<I>(side_by_side) +
             threadIdx.x % static_cast<unsigned>(side_by_side)),
        n(elements),
        apart(inner.by),
        lane(threadIdx.x / static_cast<unsigned>(side_by_side)),
        lanes(static_cast<I>(gpu::block_size / side_by_side)),
        wide(side_by_side),
        live(line < lines) {
    const I block = inner.quotient(line);
    first = block * n * inner.by + (line - block * inner.by);
  }

  /// What the threads of a line hold, joined; every one of them receives it.
  template <class A, class Join>
  EBB_DEVICE A joined(const Join& join, const A& mine) const {
    EBB_SHARED(A, all, [gpu::block_size]);
    const int t = static_cast<int>(threadIdx.x);
    all[t] = mine;
    for (int count = static_cast<int>(lanes) / 2; count > 0; count /= 2) {
      __syncthreads();
      if (static_cast<int>(lane) < count) all[t] = join(all[t], all[t + count * wide]);
    }
    __syncthreads();
    return all[t % wide];
  }

  /// Largest and sum of e^(x - largest), in one pass.
  EBB_DEVICE MaxSum<T> max_sum(const T* x) const {
    MaxSum<T> mine = MaxSum<T>::none();
    if (live)
      for (I k = lane; k < n; k += lanes) {
        const T v = x[first + k * apart];
        const T top = Largest{}(mine.largest, v);
        if (top != mine.largest && mine.sum != T(0))
          mine.sum *= math::exp_or_zero(mine.largest - top);
        // (-infinity adds nothing, even where there was nothing else yet.)
        if (v != Largest::neutral<T>()) mine.sum += math::exp_or_zero(v - top);
        mine.largest = top;
      }
    return joined(JoinMaxSum{}, mine);
  }
};

/// How threads share the lines along an axis.
struct LinePlan {
  Index lines, n, inner, size;

  template <int N>
  LinePlan(const Shape<N>& shape, int axis)
      : lines(0), n(shape[axis]), inner(shape.stride(axis)), size(shape.size()) {
    lines = n > 0 ? size / n : 0;
  }

  /// Calls small(G, K) where K elements for each of G threads hold a line, else large(lines a
  /// block), with the number of blocks.
  template <class Small, class Large>
  void choose(const Small& small, const Large& large) const {
    const auto blocks = [&](Index a_block) {
      return static_cast<unsigned>(divide_up(lines, a_block));
    };
    const auto held = [&]<int G, int K>(std::integral_constant<int, G> g,
                                        std::integral_constant<int, K> k) {
      small(g, k, blocks(gpu::block_size / G));
    };
    using std::integral_constant;
    if (inner > 1) {
      if (n <= 32) return held(integral_constant<int, 1>{}, integral_constant<int, 32>{});
      return large(32, blocks(32));
    }
    if (n <= 16) return held(integral_constant<int, 16>{}, integral_constant<int, 1>{});
    if (n <= 128) return held(integral_constant<int, 32>{}, integral_constant<int, 4>{});
    if (n <= 512) return held(integral_constant<int, 32>{}, integral_constant<int, 16>{});
    if (n <= 4096) return held(integral_constant<int, 256>{}, integral_constant<int, 16>{});
    large(1, blocks(1));
  }
};

}  // namespace ebb::kernel::detail
