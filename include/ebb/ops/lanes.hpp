/// \file
/// Sums inside one task of a kernel: many independent lanes that the compiler can keep in vector
/// registers, in float for a short way only, then in double.
#pragma once

#include <ebb/core/config.hpp>

#include <type_traits>

namespace ebb::detail {

/// What sums of T gather in.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// Elements that stay in the nearest cache while a kernel looks at them twice.
inline constexpr Index in_cache = 4096;

/// The sum of term(i) for i in [0, n), in a fixed order: 16 terms a lane in their own type, lanes
/// pairwise, then in W.
template <class W, class Term>
W lane_sum(Index n, Term&& term) {
  using T = decltype(term(Index{0}));
  constexpr Index lanes = 64, leaf = 16 * lanes;
  W total = W(0);
  Index i = 0;
  while (n - i >= lanes) {
    T lane[lanes];
    EBB_SIMD
    for (Index l = 0; l < lanes; ++l) lane[l] = term(i + l);
    const Index end = n - i < leaf ? n : i + leaf;
    for (i += lanes; i + lanes <= end; i += lanes) {
      EBB_SIMD
      for (Index l = 0; l < lanes; ++l) lane[l] += term(i + l);
    }
    for (Index width = lanes / 2; width > 4; width /= 2) {
      EBB_SIMD
      for (Index l = 0; l < width; ++l) lane[l] += lane[l + width];
    }
    for (Index l = 0; l < 8; ++l) total += static_cast<W>(lane[l]);
  }
  T rest[8] = {};
  for (; n - i >= 8; i += 8) {
    EBB_SIMD
    for (Index l = 0; l < 8; ++l) rest[l] += term(i + l);
  }
  for (Index l = 0; l < 8; ++l) total += static_cast<W>(rest[l]);
  for (; i < n; ++i) total += static_cast<W>(term(i));
  return total;
}

/// Mean and sum of squared deviations. Pieces that fit into the nearest cache are looked at twice,
/// the second time from their own mean, so that nothing cancels where the mean is large; pieces
/// combine exactly: Chan, Golub & LeVeque, "Algorithms for computing the sample variance", The
/// American Statistician 37, 1983.
template <class W>
struct Moments {
  W mean = 0, squares = 0, count = 0;

  /// Of n numbers.
  template <class T>
  static Moments of(const T* x, Index n) {
    Moments all;
    for (Index i = 0; i < n; i += in_cache) {
      const T* const from = x + i;
      const Index length = n - i < in_cache ? n - i : in_cache;
      const W own = static_cast<W>(length);
      const W sum = lane_sum<W>(length, [from](Index k) { return from[k]; });
      const T center = static_cast<T>(sum / own);
      // The mean of what is left is what rounding the center to T lost.
      const W off = sum / own - static_cast<W>(center);
      const W around = lane_sum<W>(length, [from, center](Index k) {
        const T d = from[k] - center;
        return d * d;
      });
      all.join({sum / own, around - own * off * off, own});
    }
    return all;
  }

  /// Takes in other numbers' moments.
  void join(const Moments& other) {
    const W both = count + other.count, d = other.mean - mean;
    squares += other.squares + d * d * (count * other.count / both);
    mean += d * (other.count / both);
    count = both;
  }
};

}  // namespace ebb::detail
