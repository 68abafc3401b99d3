/// \file
/// The kernels by which concat, stack and slice move elements: along one axis, a tensor is rows of
/// equal length, and a slab is the same stretch of every row.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/counting.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// A stretch of `length` elements in each of `rows` rows, of two tensors.
struct Slab {
  Index rows = 0, length = 0;
  Index from_row = 0, from_begin = 0;  ///< length of a row of the source, and where the slab begins
  Index to_row = 0, to_begin = 0;      ///< the same of the destination

  /// The slab the other way round: for the gradient.
  constexpr Slab reversed() const { return {rows, length, to_row, to_begin, from_row, from_begin}; }
};

/// Kernel: the slab of `from` into the slab of `to`; the rest of `to` is left as it is.
template <class T>
void copy_slab(Cpu, const Slab& s, View<const T, 1> from, Into<T, 1> to) {
  if (s.length == 0) return;
  const Index together = s.length < chunk ? chunk / s.length : 1;  // rows per task
  const Index tasks = divide_up(s.rows, together);
  parallel_for(tasks, s.rows * s.length, [&](Index task) {
    const Index end = (task + 1) * together < s.rows ? (task + 1) * together : s.rows;
    for (Index row = task * together; row < end; ++row) {
      const T* source = from.data + row * s.from_row + s.from_begin;
      T* target = to.data + row * s.to_row + s.to_begin;
      if (to.add)
        for (Index i = 0; i < s.length; ++i) target[i] += source[i];
      else
        for (Index i = 0; i < s.length; ++i) target[i] = source[i];
    }
  });
}

/// Kernel: the slab of `from` into the slab of `to`, and zeros (or nothing to add) elsewhere.
template <class T>
void embed_slab(Cpu, const Slab& s, View<const T, 1> from, Into<T, 1> to) {
  if (!to.add) {
    const Index after = s.to_begin + s.length;
    parallel_for(s.rows, s.rows * s.to_row, [&](Index row) {
      T* target = to.data + row * s.to_row;
      for (Index i = 0; i < s.to_begin; ++i) target[i] = T(0);
      for (Index i = after; i < s.to_row; ++i) target[i] = T(0);
    });
  }
  copy_slab(Cpu{}, s, from, to);
}

template <class T, int N>
constexpr View<T, 1> flat(const View<T, N>& x) {
  return {x.data, Shape<1>{x.size()}};
}
template <class T, int N>
constexpr Into<T, 1> flat(const Into<T, N>& x) {
  return {x.data, Shape<1>{x.size()}, x.add};
}
/// A view to be overwritten, as kernels that may also add want it.
template <class T, int N>
constexpr Into<T, N> over(const View<T, N>& y) {
  return {y.data, y.shape, false};
}

}  // namespace ebb::kernel
