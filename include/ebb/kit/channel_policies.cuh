/// \file
/// What normalisations sum over a channel or a row (channel_sums.cuh): moments, and dot products
/// with what was normalised.
///
/// A thread adds the few elements it has in registers in their own type; what comes of them goes on
/// in double (for floats), as on the CPU: of eight elements only two or three numbers, so that it
/// costs little even where double arithmetic is slow.
#pragma once

#include <ebb/kit/channel_sums.cuh>
#include <ebb/kit/lanes.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Mean and squared deviations. Those of the packs in registers are found in two passes over the
/// registers, of deviations from their first element, so that nothing cancels however large the
/// mean is. A thread sums them around the first element c it saw at all: in double, for
/// (c - mean)^2 <= n variance of its n elements, and 16 digits can lose those of n. Parts are
/// joined exactly: Chan, Golub & LeVeque, "Algorithms for computing the sample variance", The
/// American Statistician 37, 1983.
template <class W>
struct MomentsEntry {
  W mean, squares, count;

  EBB_DEVICE void join(const MomentsEntry& other) {
    const W both = count + other.count;
    if (both == W(0)) return;
    const W d = other.mean - mean, share = other.count / both;
    squares += other.squares + d * d * (count * share);
    mean += d * share;
    count = both;
  }
  EBB_DEVICE MomentsEntry shuffled(int apart) const {
    return {__shfl_xor_sync(0xffffffffu, mean, apart), __shfl_xor_sync(0xffffffffu, squares, apart),
            __shfl_xor_sync(0xffffffffu, count, apart)};
  }
};

/// Gathers moments of x; `Finish` says where they go: `finish(c, mean, biased variance)`.
template <class T, class Finish>
struct MomentsOf {
  using W = Wide<T>;
  using Entry = MomentsEntry<W>;

  const T* x;
  Finish to;

  struct Gather {
    W center = 0, sum = 0, squares = 0, count = 0;

    template <int V, class I, int U>
    EBB_DEVICE void take(const MomentsOf& p, const I (&)[U], I, const I (&at)[U]) {
      gpu::Pack<T, V> pack[U];
      EBB_UNROLL
      for (int u = 0; u < U; ++u) pack[u] = gpu::load_pack<V>(p.x + at[u]);
      const T first = pack[0][0];
      T sum_here = 0, squares_here = 0;
      EBB_UNROLL
      for (int u = 0; u < U; ++u) {
        EBB_UNROLL
        for (int k = 0; k < V; ++k) sum_here += pack[u][k] - first;
      }
      const T off = sum_here / T(U * V);
      EBB_UNROLL
      for (int u = 0; u < U; ++u) {
        EBB_UNROLL
        for (int k = 0; k < V; ++k) {
          const T d = (pack[u][k] - first) - off;
          squares_here += d * d;
        }
      }
      if (count == W(0)) center = static_cast<W>(first);
      constexpr W n = U * V;
      const W m = (static_cast<W>(first) - center) + static_cast<W>(off);
      sum += n * m;
      squares += static_cast<W>(squares_here) + n * m * m;
      count += n;
    }
    EBB_DEVICE Entry entry() const {
      if (count == W(0)) return {W(0), W(0), W(0)};
      const W off = sum / count, around = squares - sum * off;
      return {center + off, around > W(0) ? around : around < W(0) ? W(0) : around, count};
    }
  };

  template <class I>
  EBB_DEVICE void finish(I c, const Entry& e) const {
    to(c, e.mean, e.squares / e.count);
  }
};

template <class W>
struct DotEntry {
  W sum, dot;

  EBB_DEVICE void join(const DotEntry& other) {
    sum += other.sum;
    dot += other.dot;
  }
  EBB_DEVICE DotEntry shuffled(int apart) const {
    return {__shfl_xor_sync(0xffffffffu, sum, apart), __shfl_xor_sync(0xffffffffu, dot, apart)};
  }
};

/// Gathers the sums of d and of d (x - mean) scale, where `Terms` says what those are:
///  - `row(n, c)`, what mean and scale are read by; `mean(row)` and `scale(row)`;
///  - `weight(at)`, by which dy at the index `at` is multiplied (a pack has one weight, or V is 1);
///  - `finish(c, sum, dot)`.
template <class T, class Terms>
struct DotsOf {
  using W = Wide<T>;
  using Entry = DotEntry<W>;

  const T *x, *dy;
  Terms terms;

  struct Gather {
    W sum = 0, dot = 0;

    template <int V, class I, int U>
    EBB_DEVICE void take(const DotsOf& p, const I (&n)[U], I c, const I (&at)[U]) {
      gpu::Pack<T, V> up[U], from[U];
      EBB_UNROLL
      for (int u = 0; u < U; ++u) {
        up[u] = gpu::load_pack<V>(p.dy + at[u]);
        from[u] = gpu::load_pack<V>(p.x + at[u]);
      }
      T sum_here = 0, dot_here = 0;
      EBB_UNROLL
      for (int u = 0; u < U; ++u) {
        const auto row = p.terms.row(n[u], c);
        const T m = p.terms.mean(row);
        T part = 0, part_dot = 0;
        EBB_UNROLL
        for (int k = 0; k < V; ++k) {
          const T d = up[u][k] * p.terms.weight(at[u] + static_cast<I>(k));
          part += d;
          part_dot += d * (from[u][k] - m);
        }
        sum_here += part;
        dot_here += part_dot * p.terms.scale(row);
      }
      sum += static_cast<W>(sum_here);
      dot += static_cast<W>(dot_here);
    }
    EBB_DEVICE Entry entry() const { return {sum, dot}; }
  };

  template <class I>
  EBB_DEVICE void finish(I c, const Entry& e) const {
    terms.finish(c, e.sum, e.dot);
  }
};

}  // namespace ebb::kernel::detail
