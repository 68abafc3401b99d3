/// \file
/// Convolution on the CPU: each pass by the way that cpu/plan.hpp names.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/kit/lanes.hpp>
#include <ebb/ops/convolution/conv2d/cpu/channels_weight.hpp>
#include <ebb/ops/convolution/conv2d/cpu/ways.hpp>
#include <ebb/ops/convolution/conv2d/reference.hpp>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// A pass by its plan. Weights that are not packed yet are packed into scratch memory, if the way
/// wants them so: what is kept for many runs elsewhere serves one here.
template <class T>
bool conv2d_by(const Conv2dPlan& plan, const T* x, MaybePacked<T> w, T* y,
               const simd::TileEpilogue<T>& end) {
  return with_way<T>(plan, [&](const auto& way) {
    const Index room = !w.packed && way.packs_first() ? way.packed() : 0;
    const Scratch<T> memory(room);
    if (room > 0) way.pack(w.data, memory.data());
    way.run(x, room > 0 ? MaybePacked<T>(memory.data(), true) : w, y, end);
  });
}

/// Elements of the weights as a plan's way packs them; of those that are read as they lie, all.
template <class T>
Index conv2d_packed(const Conv2dPlan& plan) {
  Index elements = 0;
  if constexpr (has_tiles<T>) with_way<T>(plan, [&](const auto& way) { elements = way.packed(); });
  return elements > 0 ? elements : plan.g.out_channels * plan.g.taps();
}

template <class T>
bool conv2d_grad_weight_by(ConvAlgorithm way, const Conv2dGeometry& g, const T* x, const T* dy,
                           T* dw, bool add) {
  using enum ConvAlgorithm;
  switch (way) {
    case depthwise:
    case three_rows:
      return conv2d_depthwise_grad_weight(g, way == three_rows, x, dy, dw, add), true;
    case unfolded:
      return Unfolded<T>(g, false).grad_weight(x, dy, dw, add), true;
    case channels:
      return ChannelWeightPass<T>(g).run(x, dy, dw, add), true;
    case lines:
      return conv2d_grad_weight_lines(g, x, dy, dw, add), true;
    case winograd:
      if constexpr (std::is_same_v<T, float>) return winograd_grad_weight(g, x, dy, dw, add), true;
      return false;
    default:
      return false;
  }
}

}  // namespace detail

/// Kernel: y = conv2d(x, w), and then what `end` says.
template <class T>
void conv2d_forward(Cpu, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> w,
                    View<T, 4> y, const Epilogue<T>& end = {}) {
  if constexpr (detail::has_tiles<T>)
    if (detail::conv2d_by<T>(detail::Conv2dPlan::of<T>(g, ConvPass::forward), x.data, w.data,
                             y.data, simd::TileEpilogue<T>::of(end, y.data)))
      return;
  reference::conv2d_forward(g, x, w, y, end);
}

/// Kernel: the gradient of the input; the forward pass of a transposed convolution, where `bias`
/// is added to every input channel.
template <class T>
void conv2d_grad_input(Cpu, const Conv2dGeometry& g, View<const T, 4> dy, View<const T, 4> w,
                       View<const T, 1> bias, Into<T, 4> dx) {
  if constexpr (detail::has_tiles<T>)
    if (detail::conv2d_by<T>(detail::Conv2dPlan::of<T>(g, ConvPass::grad_input), dy.data, w.data,
                             dx.data, {{bias.data, dx.add, false}, {}}))
      return;
  reference::conv2d_grad_input(g, dy, w, bias, dx);
}

/// Kernel: the weights as the way of a plan reads them, `conv2d_packed` elements.
template <class T>
void conv2d_pack(Cpu, const detail::Conv2dPlan& plan, View<const T, 4> w, View<T, 1> to) {
  bool done = false;
  if constexpr (detail::has_tiles<T>)
    detail::with_way<T>(plan, [&](const auto& way) {
      done = way.packed() > 0;
      if (done) way.pack(w.data, to.data);
    });
  if (!done) std::copy(w.data, w.data + w.size(), to.data);
}

/// Kernel: the forward pass by a plan, with weights that `conv2d_pack` wrote for it.
template <class T>
void conv2d_run(Cpu, const detail::Conv2dPlan& plan, View<const T, 4> x, View<const T, 1> packed,
                View<T, 4> y, const Epilogue<T>& end = {}) {
  if constexpr (detail::has_tiles<T>)
    if (detail::conv2d_by<T>(plan, x.data, {packed.data, true}, y.data,
                             simd::TileEpilogue<T>::of(end, y.data)))
      return;
  const Conv2dGeometry& g = plan.g;
  const View<const T, 4> w{packed.data,
                           {g.out_channels, g.group_in(), g.kernel.height, g.kernel.width}};
  reference::conv2d_forward(g, x, w, y, end);
}

/// Kernel: the gradient of the weight.
template <class T>
void conv2d_grad_weight(Cpu, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> dy,
                        Into<T, 4> dw) {
  if constexpr (detail::has_tiles<T>)
    if (detail::conv2d_grad_weight_by(conv2d_algorithm<T>(g, ConvPass::grad_weight), g, x.data,
                                      dy.data, dw.data, dw.add))
      return;
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
  EBB_COMPILED(Index detail::conv2d_packed<T>(const detail::Conv2dPlan&))                          \
  EBB_COMPILED(bool detail::same_layout<T>(const detail::Conv2dPlan&, const detail::Conv2dPlan&))  \
  EBB_COMPILED(void conv2d_pack<T>(Cpu, const detail::Conv2dPlan&, View<const T, 4>, View<T, 1>))  \
  EBB_COMPILED(void conv2d_run<T>(Cpu, const detail::Conv2dPlan&, View<const T, 4>,                \
                                  View<const T, 1>, View<T, 4>, const Epilogue<T>&))               \
  EBB_COMPILED(void conv2d_forward<T>(Cpu, const Conv2dGeometry&, View<const T, 4>,                \
                                      View<const T, 4>, View<T, 4>, const Epilogue<T>&))           \
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

}  // namespace ebb::kernel
