/// \file
/// Windows of pooling as CUDA kernels see them. Forward, a thread is a window; backward it is an
/// element, and gathers from the windows that it lies in, in their order.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cuda/cuda.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/ops/pooling/geometry.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Positions, which may be negative, beside indices of type I.
template <class I>
using SignedIndex = std::conditional_t<std::is_same_v<I, unsigned>, int, Index>;

/// [begin, end) along an axis.
template <class S>
struct Range {
  S begin, end;
};

/// One axis of a pooling. K: the kernel, where it is known at compile time, else 0.
template <class I, int K>
struct PoolLine {
  using S = SignedIndex<I>;
  S in, out, kernel_, padding, dilation;
  gpu::Divisor<I> stride;

  explicit PoolLine(const PoolAxis& a)
      : in(static_cast<S>(a.in)),
        out(static_cast<S>(a.out)),
        kernel_(static_cast<S>(a.kernel)),
        padding(static_cast<S>(a.padding)),
        dilation(static_cast<S>(a.dilation)),
        stride(a.stride) {}

  EBB_DEVICE S kernel() const { return K > 0 ? S(K) : kernel_; }

  /// Where the first tap of window o lies.
  EBB_DEVICE S start(S o) const { return o * static_cast<S>(stride.by) - padding; }

  /// The windows that element i may lie in (between their taps, where they are dilated).
  EBB_DEVICE Range<S> windows(S i) const {
    const S reach = (kernel() - 1) * dilation, from = i + padding;
    const S begin =
        from > reach ? static_cast<S>(stride.quotient(static_cast<I>(from - reach - 1))) + 1 : S(0);
    const S end = static_cast<S>(stride.quotient(static_cast<I>(from))) + 1;
    return {begin, end < out ? end : out};
  }

  /// How many elements window o counts in an average, as PoolAxis::count says. (Not dilated.)
  EBB_DEVICE S count(S o, bool with_padding) const {
    S begin = start(o), end = begin + kernel();
    if (end > in + padding) end = in + padding;
    if (with_padding) return end - begin;
    if (begin < 0) begin = 0;
    if (end > in) end = in;
    return end - begin;
  }
};

/// A pooling; threads follow planes of `rows` by `columns` windows or elements.
template <class I, int K>
struct PoolWindows {
  using S = SignedIndex<I>;
  PoolLine<I, K> y, x;
  gpu::Divisor<I> rows, columns;
  bool count_include_pad;
  S divisor;

  PoolWindows(const Pool2dGeometry& g, Index rows, Index columns)
      : y(g.y),
        x(g.x),
        rows(rows),
        columns(columns),
        count_include_pad(g.count_include_pad),
        divisor(static_cast<S>(g.divisor)) {}

  EBB_DEVICE void place(I i, I& plane, S& row, S& column) const {
    const I line = columns.quotient(i);
    column = static_cast<S>(i - line * columns.by);
    plane = rows.quotient(line);
    row = static_cast<S>(line - plane * rows.by);
  }

  EBB_DEVICE S average_divisor(S oy, S ox) const {
    if (divisor != 0) return divisor;
    return y.count(oy, count_include_pad) * x.count(ox, count_include_pad);
  }
};

/// Calls f(kernel, zero) with the kernel as a constant where it is a usual one and not dilated, and
/// with a zero of the type that indices have. Intermediate results reach over the edge by a window.
template <class F>
void with_pool(const Pool2dGeometry& g, F&& f) {
  const auto extent = [](const PoolAxis& a) {
    const Index reach = a.kernel * a.dilation + a.padding + a.stride;
    return (a.in > a.out ? a.in : a.out) + reach;
  };
  const auto is = [&](Index kernel) {
    return g.y.kernel == kernel && g.x.kernel == kernel && g.y.dilation == 1 && g.x.dilation == 1;
  };
  gpu::with_index(g.planes * extent(g.y) * extent(g.x), [&](auto zero) {
    if (is(2))
      f(std::integral_constant<int, 2>{}, zero);
    else if (is(3))
      f(std::integral_constant<int, 3>{}, zero);
    else
      f(std::integral_constant<int, 0>{}, zero);
  });
}

}  // namespace ebb::kernel::detail
