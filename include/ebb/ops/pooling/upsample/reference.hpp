/// \file
/// Upsampling, pixel by pixel.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/ops/pooling/upsample/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::reference {

template <class T>
void upsample_nearest_forward(const UpsampleGeometry& g, View<const T, 4> x, View<T, 4> y) {
  for (Index plane = 0; plane < g.planes; ++plane)
    for (Index oy = 0; oy < g.y.out; ++oy)
      for (Index ox = 0; ox < g.x.out; ++ox)
        y.data[plane * g.out() + oy * g.x.out + ox] =
            x.data[plane * g.in() + g.y.nearest(oy) * g.x.in + g.x.nearest(ox)];
}

template <class T>
void upsample_nearest_backward(const UpsampleGeometry& g, View<const T, 4> dy, Into<T, 4> dx) {
  if (!dx.add)
    for (Index i = 0; i < dx.size(); ++i) dx.data[i] = T(0);
  for (Index plane = 0; plane < g.planes; ++plane)
    for (Index oy = 0; oy < g.y.out; ++oy)
      for (Index ox = 0; ox < g.x.out; ++ox)
        dx.data[plane * g.in() + g.y.nearest(oy) * g.x.in + g.x.nearest(ox)] +=
            dy.data[plane * g.out() + oy * g.x.out + ox];
}

/// The mean of four neighbours, weighted by how near they are.
template <class T>
void upsample_bilinear_forward(const UpsampleGeometry& g, View<const T, 4> x, View<T, 4> y) {
  for (Index plane = 0; plane < g.planes; ++plane) {
    const T* from = x.data + plane * g.in();
    for (Index oy = 0; oy < g.y.out; ++oy)
      for (Index ox = 0; ox < g.x.out; ++ox) {
        const Neighbours v = g.y.between(oy), h = g.x.between(ox);
        const T below = static_cast<T>(v.weight), above = static_cast<T>(1 - v.weight);
        const T right = static_cast<T>(h.weight), left = static_cast<T>(1 - h.weight);
        y.data[plane * g.out() + oy * g.x.out + ox] =
            above * (left * from[v.first * g.x.in + h.first] +
                     right * from[v.first * g.x.in + h.second]) +
            below * (left * from[v.second * g.x.in + h.first] +
                     right * from[v.second * g.x.in + h.second]);
      }
  }
}

template <class T>
void upsample_bilinear_backward(const UpsampleGeometry& g, View<const T, 4> dy, Into<T, 4> dx) {
  if (!dx.add)
    for (Index i = 0; i < dx.size(); ++i) dx.data[i] = T(0);
  for (Index plane = 0; plane < g.planes; ++plane) {
    T* to = dx.data + plane * g.in();
    for (Index oy = 0; oy < g.y.out; ++oy)
      for (Index ox = 0; ox < g.x.out; ++ox) {
        const T up = dy.data[plane * g.out() + oy * g.x.out + ox];
        const Neighbours v = g.y.between(oy), h = g.x.between(ox);
        const T below = static_cast<T>(v.weight), above = static_cast<T>(1 - v.weight);
        const T right = static_cast<T>(h.weight), left = static_cast<T>(1 - h.weight);
        to[v.first * g.x.in + h.first] += above * left * up;
        to[v.first * g.x.in + h.second] += above * right * up;
        to[v.second * g.x.in + h.first] += below * left * up;
        to[v.second * g.x.in + h.second] += below * right * up;
      }
  }
}

}  // namespace ebb::kernel::reference
