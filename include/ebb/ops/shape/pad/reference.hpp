/// \file
/// Padding, element by element.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/ops/shape/pad/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::reference {

namespace detail {
/// Where element `i` of the result comes from, or -1.
template <int N>
Index pad_source(const PadGeometry<N>& g, Index i) {
  Index from = 0;
  for (int k = N - 1; k >= 0; --k) {
    const Index at = g.source(k, i % g.to[k]);
    if (at < 0) return -1;
    from += at * g.from.stride(k);
    i /= g.to[k];
  }
  return from;
}
}  // namespace detail

template <class T, int N>
void pad_forward(const PadGeometry<N>& g, T margin, View<const T, N> x, View<T, N> y) {
  for (Index i = 0; i < y.size(); ++i) {
    const Index from = detail::pad_source(g, i);
    y.data[i] = from < 0 ? margin : x.data[from];
  }
}

/// dx is the sum of dy over the elements that showed it.
template <class T, int N>
void pad_backward(const PadGeometry<N>& g, View<const T, N> dy, Into<T, N> dx) {
  if (!dx.add)
    for (Index i = 0; i < dx.size(); ++i) dx.data[i] = T(0);
  for (Index i = 0; i < dy.size(); ++i) {
    const Index from = detail::pad_source(g, i);
    if (from >= 0) dx.data[from] += dy.data[i];
  }
}

}  // namespace ebb::kernel::reference
