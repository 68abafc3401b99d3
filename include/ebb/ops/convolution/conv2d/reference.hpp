/// \file
/// Convolution in plain loops, for any scalar: the oracle of the fast kernels. The backward passes
/// are the adjoints of the forward loop (Dumoulin & Visin, "A guide to convolution arithmetic for
/// deep learning", 2016).
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/compiled.hpp>
#include <ebb/kit/epilogue.hpp>
#include <ebb/ops/convolution/conv2d/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel::reference {

/// Calls f(x index, w index, y index) for every product of the convolution.
template <class F>
void each_product(const Conv2dGeometry& g, F&& f) {
  const Index in = g.group_in(), out = g.group_out();
  for (Index n = 0; n < g.batch; ++n)
    for (Index o = 0; o < g.out_channels; ++o)
      for (Index oh = 0; oh < g.output.height; ++oh)
        for (Index ow = 0; ow < g.output.width; ++ow) {
          const Index y = ((n * g.out_channels + o) * g.output.height + oh) * g.output.width + ow;
          for (Index c = 0; c < in; ++c) {
            const Index plane = n * g.in_channels + o / out * in + c;
            for (Index i = 0; i < g.kernel.height; ++i) {
              const Index h = oh * g.stride.height + i * g.dilation.height - g.padding.height;
              if (h < 0 || h >= g.input.height) continue;
              const Index x_row = (plane * g.input.height + h) * g.input.width;
              const Index w_row = ((o * in + c) * g.kernel.height + i) * g.kernel.width;
              for (Index j = 0; j < g.kernel.width; ++j) {
                const Index w = ow * g.stride.width + j * g.dilation.width - g.padding.width;
                if (w < 0 || w >= g.input.width) continue;
                f(x_row + w, w_row + j, y);
              }
            }
          }
        }
}

template <class T, int N>
void start(Into<T, N> y) {
  if (!y.add)
    for (Index i = 0; i < y.size(); ++i) y.data[i] = T(0);
}

/// Kernel: y = conv2d(x, w), and then what `end` says, whose `add` is not y.
template <class T>
void conv2d_forward(const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> w, View<T, 4> y,
                    const Epilogue<T>& end = {}) {
  for (Index i = 0; i < y.size(); ++i) y.data[i] = end.shift(i / g.output.area() % g.out_channels);
  each_product(g, [&](Index xi, Index wi, Index yi) { y.data[yi] += x.data[xi] * w.data[wi]; });
  for (Index i = 0; i < y.size(); ++i) y.data[i] = end.finish(y.data[i], i);
}

/// Kernel: the gradient of the input; the forward pass of a transposed convolution, where `bias`
/// is added to every input channel.
template <class T>
void conv2d_grad_input(const Conv2dGeometry& g, View<const T, 4> dy, View<const T, 4> w,
                       View<const T, 1> bias, Into<T, 4> dx) {
  start(dx);
  if (bias.data)
    for (Index i = 0; i < dx.size(); ++i)
      dx.data[i] += bias.data[i / g.input.area() % g.in_channels];
  each_product(g, [&](Index xi, Index wi, Index yi) { dx.data[xi] += dy.data[yi] * w.data[wi]; });
}

/// Kernel: the gradient of the weight.
template <class T>
void conv2d_grad_weight(const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> dy,
                        Into<T, 4> dw) {
  start(dw);
  each_product(g, [&](Index xi, Index wi, Index yi) { dw.data[wi] += dy.data[yi] * x.data[xi]; });
}

/// Kernel: sum[c] (+)= the sum of channel c over images and pixels; the gradient of a bias.
template <class T>
void sum_channels(View<const T, 4> x, Into<T, 1> sum) {
  start(sum);
  const Index area = x.extent(2) * x.extent(3);
  for (Index i = 0; i < x.size(); ++i) sum.data[i / area % x.extent(1)] += x.data[i];
}

#define EBB_CONV2D_REFERENCE(T)                                                                  \
  EBB_COMPILED(void conv2d_forward<T>(const Conv2dGeometry&, View<const T, 4>, View<const T, 4>, \
                                      View<T, 4>, const Epilogue<T>&))                           \
  EBB_COMPILED(void conv2d_grad_input<T>(const Conv2dGeometry&, View<const T, 4>,                \
                                         View<const T, 4>, View<const T, 1>, Into<T, 4>))        \
  EBB_COMPILED(void conv2d_grad_weight<T>(const Conv2dGeometry&, View<const T, 4>,               \
                                          View<const T, 4>, Into<T, 4>))
EBB_CONV2D_REFERENCE(float)
EBB_CONV2D_REFERENCE(double)
#undef EBB_CONV2D_REFERENCE

}  // namespace ebb::kernel::reference
