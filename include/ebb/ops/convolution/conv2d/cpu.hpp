/// \file
/// Convolution on the CPU: each pass by the algorithm that conv2d_algorithm() chooses.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/kit/lanes.hpp>
#include <ebb/ops/convolution/conv2d/algorithm.hpp>
#include <ebb/ops/convolution/conv2d/cpu/direct.hpp>
#include <ebb/ops/convolution/conv2d/cpu/winograd_passes.hpp>
#include <ebb/ops/convolution/conv2d/reference.hpp>

namespace ebb::inline EBB_ABI {
namespace detail {

template <class T>
inline constexpr bool has_tiles = std::is_same_v<T, float> || std::is_same_v<T, double>;

}  // namespace detail

/// Kernel: y = conv2d(x, w) + bias, or the larger of that and zero where `with_relu` asks for it;
/// an empty bias view is none.
template <class T>
void conv2d_forward(Cpu, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> w,
                    View<const T, 1> bias, View<T, 4> y, bool with_relu = false) {
  if constexpr (detail::has_tiles<T>) {
    switch (conv2d_algorithm(g, ConvPass::forward)) {
      case ConvAlgorithm::reference:
        break;
      case ConvAlgorithm::winograd:
        if constexpr (std::is_same_v<T, float>)
          return detail::winograd_forward(g, x, w, bias.data, with_relu, y);
        [[fallthrough]];
      default:
        return detail::direct_forward(g, x.data, w.data, y.data, {bias.data, false, with_relu});
    }
  }
  reference::conv2d_forward(g, x, w, bias, y, with_relu);
}

/// Kernel: the gradient of the input; the forward pass of a transposed convolution, where `bias`
/// is added to every input channel.
template <class T>
void conv2d_grad_input(Cpu, const Conv2dGeometry& g, View<const T, 4> dy, View<const T, 4> w,
                       View<const T, 1> bias, Into<T, 4> dx) {
  if constexpr (detail::has_tiles<T>) {
    switch (conv2d_algorithm(g, ConvPass::grad_input)) {
      case ConvAlgorithm::reference:
        break;
      case ConvAlgorithm::winograd:
        if constexpr (std::is_same_v<T, float>)
          return detail::winograd_grad_input(g, dy, w, bias.data, dx);
        [[fallthrough]];
      default:
        return detail::direct_grad_input(g, dy, w, dx, {bias.data, dx.add, false});
    }
  }
  reference::conv2d_grad_input(g, dy, w, bias, dx);
}

/// Kernel: the gradient of the weight.
template <class T>
void conv2d_grad_weight(Cpu, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> dy,
                        Into<T, 4> dw) {
  if constexpr (detail::has_tiles<T>) {
    switch (conv2d_algorithm(g, ConvPass::grad_weight)) {
      case ConvAlgorithm::reference:
        break;
      case ConvAlgorithm::winograd:
        if constexpr (std::is_same_v<T, float>) return detail::winograd_grad_weight(g, x, dy, dw);
        [[fallthrough]];
      default:
        return detail::direct_grad_weight(g, x.data, dy.data, dw.data, dw.add);
    }
  }
  reference::conv2d_grad_weight(g, x, dy, dw);
}

namespace detail {

/// sum[c] (+)= the sum of channel c over images, where plane_sum(at) is that over the pixels of the
/// plane that begins at element `at`. Images are shared out to parts, so that memory is walked
/// through in order.
template <class T, class PlaneSum>
void sum_planes(const Shape<4>& shape, Into<T, 1> sum, const PlaneSum& plane_sum) {
  const Index batch = shape[0], channels = shape[1], area = shape[2] * shape[3];
  const Index each = std::max<Index>(1, divide_up(batch, 16)), parts = divide_up(batch, each);
  const Scratch<T> partial(parts * channels);
  T* const sums = partial.data();
  vector_for(parts, shape.size(), [&, sums](Index part) {
    for (Index c = 0; c < channels; ++c) sums[part * channels + c] = T(0);
    for (Index n = part * each; n < std::min(batch, (part + 1) * each); ++n)
      for (Index c = 0; c < channels; ++c)
        sums[part * channels + c] += plane_sum((n * channels + c) * area);
  });
  for (Index c = 0; c < channels; ++c) {
    T total(0);
    for (Index part = 0; part < parts; ++part) total += sums[part * channels + c];
    sum.put(c, total);
  }
}

}  // namespace detail

/// Kernel: sum[c] (+)= the sum of channel c over images and pixels; the gradient of a bias.
template <class T>
void sum_channels(Cpu, View<const T, 4> x, Into<T, 1> sum) {
  const Index area = x.extent(2) * x.extent(3);
  detail::sum_planes(x.shape, sum, [&](Index plane) {
    const T* const from = x.data + plane;
    return detail::lane_sum<T>(area, [from](Index i) { return from[i]; });
  });
}

/// Kernel: the same for dx, the gradient before a relu, which is written on the way: dy where the
/// relu's result y is positive, or nan. dx may be dy.
template <class T>
void sum_rectified_channels(Cpu, View<const T, 4> y, View<const T, 4> dy, View<T, 4> dx,
                            Into<T, 1> sum) {
  const Index area = y.extent(2) * y.extent(3);
  detail::sum_planes(y.shape, sum, [&](Index plane) {
    const T *const out = y.data + plane, *const from = dy.data + plane;
    T* const to = dx.data + plane;
    return detail::lane_sum<T>(area, [=](Index i) {
      const T slope = out[i] <= T(0) ? T(0) : T(1);
      return to[i] = slope * from[i];
    });
  });
}

#define EBB_CONV2D(T)                                                                              \
  EBB_COMPILED(void conv2d_forward<T>(Cpu, const Conv2dGeometry&, View<const T, 4>,                \
                                      View<const T, 4>, View<const T, 1>, View<T, 4>, bool))       \
  EBB_COMPILED(void conv2d_grad_input<T>(Cpu, const Conv2dGeometry&, View<const T, 4>,             \
                                         View<const T, 4>, View<const T, 1>, Into<T, 4>))          \
  EBB_COMPILED(void conv2d_grad_weight<T>(Cpu, const Conv2dGeometry&, View<const T, 4>,            \
                                          View<const T, 4>, Into<T, 4>))                           \
  EBB_COMPILED(void sum_channels<T>(Cpu, View<const T, 4>, Into<T, 1>))                            \
  EBB_COMPILED(void sum_rectified_channels<T>(Cpu, View<const T, 4>, View<const T, 4>, View<T, 4>, \
                                              Into<T, 1>))
EBB_CONV2D(float)
EBB_CONV2D(double)
#undef EBB_CONV2D

}  // namespace ebb
