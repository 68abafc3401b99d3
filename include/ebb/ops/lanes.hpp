/// \file
/// Sums inside one task of a kernel: eight independent lanes that the compiler can keep in vector
/// registers, added up in a fixed order, in double where the terms are float.
#pragma once

#include <ebb/core/config.hpp>

#include <type_traits>

namespace ebb::detail {

/// What sums of T gather in.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// The sum of term(i) for i in [0, n).
template <class W, class Term>
W lane_sum(Index n, Term&& term) {
  constexpr int lanes = 8;
  W lane[lanes] = {};
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int k = 0; k < lanes; ++k) lane[k] += term(i + k);
  for (int k = 0; i < n; ++i, ++k) lane[k] += term(i);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/// Mean and sum of squared deviations of n numbers, in two passes (Chan, Golub & LeVeque,
/// "Algorithms for computing the sample variance", The American Statistician 37, 1983): no
/// cancellation where the mean is large.
template <class W>
struct Moments {
  W mean, squares;

  template <class T>
  static Moments of(const T* x, Index n) {
    const W mean =
        lane_sum<W>(n, [x](Index i) { return static_cast<W>(x[i]); }) / static_cast<W>(n);
    const W squares = lane_sum<W>(n, [x, mean](Index i) {
      const W d = static_cast<W>(x[i]) - mean;
      return d * d;
    });
    return {mean, squares};
  }
};

}  // namespace ebb::detail
