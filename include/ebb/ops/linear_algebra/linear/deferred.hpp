/// \file
/// The weight gradient of a dense layer, dy^T x, left unmultiplied where that saves memory traffic.
#pragma once

#include <ebb/ops/linear_algebra/linear/cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {
namespace detail {

/// `Factors::expand` on the CPU, row by row of the product. Each element is the same chain of
/// multiply-adds, over the terms in order, that gemm makes of so few terms.
template <class T>
void expand_product(const Factors<T>& f, Index begin, Index end, T* to) {
  const auto combine = kernel::simd::tiles<T>().combine_rows;
  while (begin < end) {
    const Index i = begin / f.columns, j = begin % f.columns;
    const Index length = std::min(end - begin, f.columns - j);
    combine(f.terms, f.left + i, f.rows, f.right + j, f.columns, length, to);
    begin += length;
    to += length;
  }
}

/// Whether dy^T x (rows, columns) over `terms` samples is better left unmultiplied: when it is too
/// large to wait in a cache for the optimizer, and its factors are small enough to be read from
/// there once for every row. `defer_products` turns it off.
inline bool& defer_products() {
  static bool on = true;
  return on;
}
inline bool pays_to_defer(Index terms, Index rows, Index columns, std::size_t scalar) {
  const auto bytes = [&](Index n) { return n * static_cast<Index>(scalar); };
  return defer_products() && terms <= 16 && bytes(rows * columns) >= 1024 * 1024 &&
         bytes(terms * columns) <= 256 * 1024;
}

/// dw (+)= dy^T x. `kept` says that x is the network's own, so that nobody writes over it before
/// the optimizer reads it.
template <class DW, class T, class Device>
void linear_grad_weight(const DW& dw, const Tensor<T, 2, Device>& dy, const Tensor<T, 2, Device>& x,
                        bool kept) {
  if constexpr (std::is_same_v<Device, Cpu> &&
                (std::is_same_v<T, float> || std::is_same_v<T, double>)&&requires {
                  dw.slot().factors();
                }) {
    if (kept && !dw.slot().filled() &&
        pays_to_defer(dy.extent(0), dy.extent(1), x.extent(1), sizeof(T))) {
      dw.slot().defer(dy, x, &expand_product<T>);
      return;
    }
  }
  gemm(Device{}, {.a = true}, dy.view(), x.view(), dw.into());
}

}  // namespace detail
}  // namespace ebb
