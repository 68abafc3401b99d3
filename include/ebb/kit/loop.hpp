/// \file
/// Nested loops over several arrays at once, as broadcasting and reductions need them: neighbouring
/// axes that all arrays walk alike are merged, so that what is left is short and its innermost loop
/// is long.
#pragma once

#include <ebb/core/shape.hpp>
#include <ebb/device/cpu/parallel.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// At most N axes of a row-major array, outermost first, and how far one step along
/// each moves in K arrays (0 where an array is broadcast along it or summed over it).
template <int N, int K>
struct Loop {
  static constexpr int capacity = N > 0 ? N : 1;

  int rank = 0;
  Index extent[detail::array_size(capacity)]{};
  Index stride[detail::array_size(capacity)][detail::array_size(K)]{};

  /// Appends an axis inside the ones before; drops it where it has one element, and merges it with
  /// its neighbour where every array walks over both as over one.
  constexpr void push(Index n, const Index (&step)[detail::array_size(K)]) {
    if (n == 1) return;
    bool merges = rank > 0;
    for (int k = 0; merges && k < K; ++k) merges = stride[rank - 1][k] == n * step[k];
    if (merges)
      extent[rank - 1] *= n;
    else
      extent[rank++] = n;
    for (int k = 0; k < K; ++k) stride[rank - 1][k] = step[k];
  }

  constexpr Index size() const { return size(rank); }
  /// Iterations of the outermost `axes` loops.
  constexpr Index size(int axes) const {
    Index n = 1;
    for (int axis = 0; axis < axes; ++axis) n *= extent[axis];
    return n;
  }
  /// Length of the innermost loop.
  constexpr Index width() const { return rank > 0 ? extent[rank - 1] : 1; }
  /// Steps array k makes in the innermost loop: 1 or 0.
  constexpr Index step(int k) const { return rank > 0 ? stride[rank - 1][k] : 1; }
};

/// Room for the axes of an array of rank N. Ranks share it, so that a kernel is compiled once for
/// all small ones.
template <int N>
inline constexpr int loop_room = N <= 4   ? 4
                                 : N <= 8 ? 8
                                          : N;

/// Where a loop over the outermost axes stands in each array. Only `seek` divides.
template <int N, int K>
struct Cursor {
  const Loop<N, K>& loop;
  int rank;  ///< axes it walks
  Index at[detail::array_size(K)]{};
  Index index[Loop<N, K>::capacity]{};

  Cursor(const Loop<N, K>& l, int walked) : loop(l), rank(walked > 0 ? walked : 0) {}

  void seek(Index position) {
    for (int k = 0; k < K; ++k) at[k] = 0;
    for (int axis = rank - 1; axis >= 0; --axis) {
      // (With room for one axis, compilers would warn of an access that never happens.)
      const bool more = Loop<N, K>::capacity > 1 && axis > 0;
      const Index rest = more ? position / loop.extent[axis] : 0;
      index[axis] = position - rest * loop.extent[axis];
      for (int k = 0; k < K; ++k) at[k] += index[axis] * loop.stride[axis][k];
      position = rest;
    }
  }

  void next() {
    for (int axis = rank - 1; axis >= 0; --axis) {
      for (int k = 0; k < K; ++k) at[k] += loop.stride[axis][k];
      if (++index[axis] < loop.extent[axis]) return;
      for (int k = 0; k < K; ++k) at[k] -= loop.extent[axis] * loop.stride[axis][k];
      index[axis] = 0;
    }
  }
};

/// Calls `body(at, count)` on consecutive pieces of the innermost loop, in parallel: `at[k]` is
/// where the piece begins in array k.
template <int N, int K, class Body>
void walk(const Loop<N, K>& loop, Index cost, Body&& body) {
  const Index width = loop.width();
  parallel_ranges(loop.size(), cost, [&](Index begin, Index end) {
    Cursor<N, K> cursor(loop, loop.rank - 1);
    cursor.seek(begin / width);
    Index from = begin % width;
    while (begin < end) {
      const Index count = width - from < end - begin ? width - from : end - begin;
      Index at[detail::array_size(K)];
      for (int k = 0; k < K; ++k) at[k] = cursor.at[k] + from * loop.step(k);
      body(at, count);
      begin += count;
      from = 0;
      cursor.next();
    }
  });
}

/// A stride of the innermost loop, known to the compiler.
template <Index step>
using Step = std::integral_constant<Index, step>;

/// Calls `f` with a stride of 0 or 1 as a constant.
template <class F>
void with_step(Index a, F&& f) {
  if (a != 0)
    f(Step<1>{});
  else
    f(Step<0>{});
}

/// Calls `f` with two strides of 0 or 1 as constants, of which at least one is 1.
template <class F>
void with_steps(Index a, Index b, F&& f) {
  if (a == b)
    f(Step<1>{}, Step<1>{});
  else if (a != 0)
    f(Step<1>{}, Step<0>{});
  else
    f(Step<0>{}, Step<1>{});
}

}  // namespace ebb::kernel
