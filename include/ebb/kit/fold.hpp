/// \file
/// Reductions on the CPU: folding values along some axes of a loop, with a tree that depends on
/// the extents alone. Sums are pairwise (Higham, "The accuracy of floating point summation", SIAM
/// J. Sci. Comput. 14, 1993), so a float sum of a million numbers keeps its digits.
#pragma once

#include <ebb/device/cpu/scratch.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/kit/joins.hpp>
#include <ebb/kit/loop.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Joins values pairwise as they come: value i waits for its partner as the bits of i say.
template <class T, class Join>
class Cascade {
 public:
  explicit Cascade(const Join& join) : join_(join) {}
  void push(T value) {
    for (Index c = count_++; c & 1; c >>= 1) value = join_(waiting_[--depth_], value);
    waiting_[depth_++] = value;
  }
  T total() const {
    if (depth_ == 0) return Join::template neutral<T>();
    T value = waiting_[depth_ - 1];
    for (int d = depth_ - 2; d >= 0; --d) value = join_(waiting_[d], value);
    return value;
  }

 private:
  const Join& join_;
  T waiting_[64];
  int depth_ = 0;
  Index count_ = 0;
};

/// Folds row(begin) ... row(end - 1), at most 64 values a lane: many lanes, because each waits for
/// its own last sum; they stay in the nearest cache.
template <class T, class Join, class Row>
T fold_leaf(const Join& join, const Row& row, Index begin, Index end) {
  constexpr Index lanes = 64;
  T total = Join::template neutral<T>();
  Index i = begin;
  if (end - begin >= lanes) {
    T lane[lanes];
    EBB_SIMD
    for (Index l = 0; l < lanes; ++l) lane[l] = row(begin + l);
    for (i += lanes; i + lanes <= end; i += lanes) {
      EBB_SIMD
      for (Index l = 0; l < lanes; ++l) lane[l] = join(lane[l], row(i + l));
    }
    for (Index width = lanes / 2; width > 0; width /= 2) {
      EBB_SIMD
      for (Index l = 0; l < width; ++l) lane[l] = join(lane[l], lane[l + width]);
    }
    total = lane[0];
  }
  constexpr Index few = 8;
  if (end - i >= 2 * few) {
    T lane[few];
    for (Index l = 0; l < few; ++l) lane[l] = row(i + l);
    for (i += few; i + few <= end; i += few) {
      EBB_SIMD
      for (Index l = 0; l < few; ++l) lane[l] = join(lane[l], row(i + l));
    }
    for (Index l = 0; l < few; ++l) total = join(total, lane[l]);
  }
  for (; i < end; ++i) total = join(total, row(i));
  return total;
}

/// Folds row(begin) ... row(end - 1), leaves joined pairwise.
template <class T, class Join, class Row>
T fold(const Join& join, const Row& row, Index begin, Index end) {
  constexpr Index leaf = 4096;
  Cascade<T, Join> cascade(join);
  for (; begin < end; begin += leaf)
    cascade.push(fold_leaf<T>(join, row, begin, end - begin < leaf ? end : begin + leaf));
  return cascade.total();
}

/// The loop over the outer axes of another, in two groups; each keeps its order, so positions stay
/// row-major.
template <int N, int K>
struct FoldedLoop {
  Loop<N, K> kept, folded;
  Index work;

  FoldedLoop(const Loop<N, K>& loop, Index cost) : work(loop.size() * cost) {
    for (int axis = 0; axis + 1 < loop.rank; ++axis)
      (loop.stride[axis][0] != 0 ? kept : folded).push(loop.extent[axis], loop.stride[axis]);
  }

  /// Where a result and a row of it together stand.
  static void sum_of(const Index (&a)[array_size(K)], const Index (&b)[array_size(K)],
                     Index (&at)[array_size(K)]) {
    for (int k = 0; k < K; ++k) at[k] = a[k] + b[k];
  }
};

/// The values of `parts` pieces, `apart` from each other, joined pairwise.
template <class T, class Join>
T join_parts(const Join& join, const T* partial, Index parts, Index apart) {
  Cascade<T, Join> cascade(join);
  for (Index part = 0; part < parts; ++part) cascade.push(partial[part * apart]);
  return cascade.total();
}

/// `fold_axes` where the innermost axis is folded. A part of a result is a piece of one row, or
/// several rows.
template <class T, int N, int K, class Join, class RowAt, class Store>
void fold_inner(const Loop<N, K>& loop, Index cost, const Join& join, const RowAt& row_at,
                const Store& store) {
  const FoldedLoop<N, K> outer(loop, cost);
  const Index results = outer.kept.size(), rows = outer.folded.size(), width = loop.width();
  const Index pieces = std::max<Index>(1, divide_up(width, chunk));
  const Index group = std::max<Index>(1, chunk / std::max<Index>(1, width));
  const Index parts = pieces > 1 ? rows * pieces : std::max<Index>(1, divide_up(rows, group));
  const Index per_task =
      parts > 1 ? 1 : std::max<Index>(1, chunk / std::max<Index>(1, rows * width));
  const Index items = results * parts;
  Scratch<T> scratch(parts > 1 ? items : 0);
  T* const partial = scratch.data();
  vector_for(divide_up(items, per_task), outer.work, [&](Index task) {
    const Index last = std::min((task + 1) * per_task, items);
    for (Index item = task * per_task; item < last; ++item) {
      const Index part = item % parts;
      Index row_begin = part * group, row_end = std::min(row_begin + group, rows);
      Index begin = 0, end = width;
      if (pieces > 1) {
        row_begin = part / pieces, row_end = row_begin + 1;
        begin = part % pieces * chunk, end = std::min(begin + chunk, width);
      }
      Cursor<N, K> result(outer.kept, outer.kept.rank), row(outer.folded, outer.folded.rank);
      result.seek(item / parts);
      row.seek(row_begin);
      // (One call of `fold`: compilers draw it in at every place where it stands.)
      Cascade<T, Join> cascade(join);
      for (Index r = row_begin; r < row_end; ++r, row.next()) {
        Index at[array_size(K)];
        outer.sum_of(result.at, row.at, at);
        cascade.push(fold<T>(join, row_at(at), begin, end));
      }
      if (parts > 1)
        partial[item] = cascade.total();
      else
        store(result.at[0], cascade.total());
    }
  });
  if (parts == 1) return;
  Cursor<N, K> result(outer.kept, outer.kept.rank);
  result.seek(0);
  for (Index i = 0; i < results; ++i, result.next())
    store(result.at[0], join_parts(join, partial + i * parts, parts, 1));
}

/// `fold_axes` where the innermost axis is kept: a tile of neighbouring results takes in row after
/// row, a part at a time; parts are joined pairwise.
template <class T, int N, int K, class Join, class RowAt, class Store>
void fold_outer(const Loop<N, K>& loop, Index cost, const Join& join, const RowAt& row_at,
                const Store& store) {
  constexpr Index tile = 2048;
  const FoldedLoop<N, K> outer(loop, cost);
  const Index results = outer.kept.size(), rows = outer.folded.size(), width = loop.width();
  const Index group = std::clamp<Index>(4 * chunk / std::min(tile, width), 16, 128);
  const Index tiles = divide_up(width, tile);
  const Index parts = std::max<Index>(1, divide_up(rows, group));
  const Index items = results * parts * tiles;
  const Index item_work = std::min(group, rows) * std::min(tile, width);
  const Index per_task = std::max<Index>(1, chunk / std::max<Index>(1, item_work));
  Scratch<T> scratch(parts > 1 ? results * parts * width : 0);
  T* const partial = scratch.data();
  vector_for(divide_up(items, per_task), outer.work, [&](Index task) {
    for (Index item = task * per_task; item < std::min((task + 1) * per_task, items); ++item) {
      const Index first = item % tiles * tile, count = std::min(tile, width - first);
      const Index part = item / tiles % parts, i = item / tiles / parts;
      Cursor<N, K> result(outer.kept, outer.kept.rank), row(outer.folded, outer.folded.rank);
      result.seek(i);
      const Index begin = part * group, end = std::min(begin + group, rows);
      row.seek(begin);
      T total[tile];
      EBB_SIMD
      for (Index j = 0; j < count; ++j) total[j] = Join::template neutral<T>();
      for (Index r = begin; r < end; ++r, row.next()) {
        Index at[array_size(K)];
        outer.sum_of(result.at, row.at, at);
        const auto value = row_at(at);
        EBB_SIMD
        for (Index j = 0; j < count; ++j) total[j] = join(total[j], value(first + j));
      }
      if (parts == 1)
        for (Index j = 0; j < count; ++j) store(result.at[0] + first + j, total[j]);
      else
        for (Index j = 0; j < count; ++j)
          partial[(i * parts + part) * width + first + j] = total[j];
    }
  });
  if (parts == 1) return;
  parallel_for(results * tiles, results * parts * width, [&](Index item) {
    const Index first = item % tiles * tile, count = std::min(tile, width - first);
    const Index i = item / tiles;
    Cursor<N, K> result(outer.kept, outer.kept.rank);
    result.seek(i);
    for (Index j = 0; j < count; ++j)
      store(result.at[0] + first + j,
            join_parts(join, partial + i * parts * width + first + j, parts, width));
  });
}

}  // namespace detail

/// Folds over every axis along which array 0, the result's, does not move.
///
/// `row_at(at)` makes a function of j: the value to fold at step j of the innermost loop that
/// begins at `at[k]` in array k. `store(at, total)` receives each result once, where `at` is its
/// position in array 0. `step` is the result's in the innermost loop, `loop.step(0)`, as a constant
/// where the caller knows it: then only the half that it needs is compiled.
template <class T, int N, int K, class Join, class RowAt, class Store, Index step>
void fold_axes(Step<step>, const Loop<N, K>& loop, Index cost, const Join& join,
               const RowAt& row_at, const Store& store) {
  if constexpr (step == 0)
    detail::fold_inner<T>(loop, cost, join, row_at, store);
  else
    detail::fold_outer<T>(loop, cost, join, row_at, store);
}
template <class T, int N, int K, class Join, class RowAt, class Store>
void fold_axes(const Loop<N, K>& loop, Index cost, const Join& join, const RowAt& row_at,
               const Store& store) {
  with_step(loop.step(0), [&](auto step) { fold_axes<T>(step, loop, cost, join, row_at, store); });
}

/// Folds row(0) ... row(n - 1) to one value.
template <class T, class Join, class Row>
T fold_all(Index n, Index cost, const Join& join, const Row& row) {
  Loop<1, 1> loop;
  loop.push(n, {0});
  T total = Join::template neutral<T>();
  if (n == 1) return row(0);
  fold_axes<T>(
      Step<0>{}, loop, cost, join, [&](const Index(&)[1]) { return row; },
      [&](Index, T value) { total = value; });
  return total;
}

}  // namespace ebb::kernel
