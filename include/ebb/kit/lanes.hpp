/// \file
/// Sums inside one task of a kernel: many independent lanes that the compiler can keep in vector
/// registers, in float for a short way only, then in double.
#pragma once

#include <ebb/core/config.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel::detail {

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

/// What `lane_sums` finds.
template <class W>
struct Sums {
  W sum = 0, dot = 0;
};

/// The sums of first(i) and of first(i) factor(i) for i in [0, n), in the same pass and in a fixed
/// order.
template <class W, class First, class Factor>
Sums<W> lane_sums(Index n, First&& first, Factor&& factor) {
  using T = decltype(first(Index{0}));
  constexpr Index lanes = 32, leaf = 16 * lanes;
  Sums<W> total;
  // Narrower for what is left, and where that is all.
  const auto gather = [&]<Index width>(std::integral_constant<Index, width>, Index i, Index end) {
    T sum[array_size(width)] = {}, dot[array_size(width)] = {};
    for (; i + width <= end; i += width) {
      EBB_SIMD
      for (Index l = 0; l < width; ++l) {
        const T value = first(i + l);
        sum[l] += value;
        dot[l] += value * factor(i + l);
      }
    }
    for (Index half = width / 2; half >= 4; half /= 2) {
      EBB_SIMD
      for (Index l = 0; l < half; ++l) {
        sum[l] += sum[l + half];
        dot[l] += dot[l + half];
      }
    }
    for (Index l = 0; l < 4; ++l) {
      total.sum += static_cast<W>(sum[l]);
      total.dot += static_cast<W>(dot[l]);
    }
    return i;
  };
  Index i = 0;
  if (n >= 4 * lanes)
    while (n - i >= lanes)
      i = gather(std::integral_constant<Index, lanes>{}, i, n - i < leaf ? n : i + leaf);
  if (n - i >= 8) i = gather(std::integral_constant<Index, 8>{}, i, n);
  for (; i < n; ++i) {
    const T value = first(i);
    total.sum += static_cast<W>(value);
    total.dot += static_cast<W>(value * factor(i));
  }
  return total;
}

/// Mean and sum of squared deviations, in one pass. Deviations are from the mean m' of the first
/// sixty-fourth of a piece: because (m' - mean)^2 <= 64 variance for the mean of any such part
/// (Cauchy & Schwarz), no more than a factor of 65 cancels, however large the mean or strange the
/// order. Pieces combine exactly: Chan, Golub & LeVeque, "Algorithms for computing the sample
/// variance", The American Statistician 37, 1983.
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
      const Index wanted = (length + 511) / 512 * 8, few = wanted < length ? wanted : length;
      const T center = static_cast<T>(lane_sum<W>(few, [from](Index k) { return from[k]; }) /
                                      static_cast<W>(few));
      const auto deviation = [from, center](Index k) { return from[k] - center; };
      const Sums<W> around = lane_sums<W>(length, deviation, deviation);
      const W own = static_cast<W>(length), off = around.sum / own;
      const W squares = around.dot - own * off * off;
      all.join({static_cast<W>(center) + off, squares > W(0) ? squares : W(0), own});
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

}  // namespace ebb::kernel::detail
