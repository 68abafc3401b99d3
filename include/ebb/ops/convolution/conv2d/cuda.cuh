/// \file
/// Convolution on CUDA.
#pragma once

#include <ebb/device/compiled.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/ops/convolution/conv2d/cpu.hpp>
#include <ebb/ops/convolution/conv2d/cuda/few.cuh>
#include <ebb/ops/convolution/conv2d/cuda/patch_weight.cuh>
#include <ebb/ops/convolution/conv2d/cuda/products.cuh>

namespace ebb::inline EBB_ABI::kernel {
namespace detail {

/// Calls f with a zero of the type in which kernels of this convolution count: 32 bits where they
/// suffice for elements, results, and how far padding and dilation reach.
template <class F>
void with_conv_index(const Conv2dGeometry& g, F&& f) {
  const auto reach = [](Index pixels, Index step, Index kernel, Index apart, Index padding) {
    return static_cast<double>(pixels + 1) * static_cast<double>(step) +
           static_cast<double>(kernel) * static_cast<double>(apart) + static_cast<double>(padding);
  };
  const double rows = reach(std::max(g.input.height, g.output.height), g.stride.height,
                            g.kernel.height, g.dilation.height, g.padding.height);
  const double columns = reach(std::max(g.input.width, g.output.width), g.stride.width,
                               g.kernel.width, g.dilation.width, g.padding.width);
  const double width = static_cast<double>(std::max(g.input.width, g.output.width));
  const Index lattice = (g.input.height + g.stride.height) * (g.input.width + g.stride.width);
  const Index most =
      std::max({g.batch * g.in_channels * lattice, g.batch * g.out_channels * g.output.area(),
                g.out_channels * g.taps(), g.in_channels * g.group_out() * g.kernel.area()});
  if (most <= gpu::short_indices && rows * width + columns < 1e9)
    f(int{});
  else
    f(Index{});
}

/// Calls f(V, W) with the packs that may be loaded from the left and from the right, as constants.
template <class T, class I, class F>
void with_conv_packs(bool left, bool right, F&& f) {
  using One = std::integral_constant<int, 1>;
  using Pack = std::integral_constant<int, gpu::pack_of<T>>;
  if constexpr (sizeof(I) == 4) {
    if (left && right) return f(Pack{}, Pack{});
    if (left) return f(Pack{}, One{});
  }
  f(One{}, One{});
}

template <class T>
void forward_product(const Conv2dGeometry& asked, const T* x, const T* w, T* y,
                     const Epilogue<T>& end) {
  const Conv2dGeometry g = without_rows(asked);
  constexpr Index pack = gpu::pack_of<T>;
  const Index n = g.batch * g.output.area(), image = g.in_channels * g.input.area();
  with_conv_index(g, [&]<class I>(I) {
    const bool rows = gpu::packable(x) && is_pointwise(g) && g.input.area() % pack == 0;
    with_conv_packs<T, I>(
        gpu::packable(w) && g.taps() % pack == 0, rows,
        [&]<int VW, int VX>(std::integral_constant<int, VW>, std::integral_constant<int, VX>) {
          using Problem = ForwardProblem<T, I, VW, VX>;
          const Pixels<I> seen(g.output, image, g.input.width, g.stride,
                               {-g.padding.height, -g.padding.width});
          const Pixels<I> stored(g.output, g.out_channels * g.output.area(), g.output.width, 1, 0);
          const auto height = static_cast<I>(g.input.height);
          const auto width = static_cast<I>(g.input.width);
          const Problem problem{
              {static_cast<I>(g.group_out()),
               static_cast<I>(n),
               static_cast<I>(g.taps()),
               {w, static_cast<I>(g.taps()), 1},
               {x, height, width, seen, KernelTaps<I>(g.kernel, g.input, g.dilation)},
               {y, end, static_cast<I>(g.output.height), static_cast<I>(g.output.width), stored,
                gpu::packable(y) && g.output.area() % pack == 0}},
              static_cast<I>(g.group_in() * g.input.area()),
              static_cast<I>(g.group_out() * g.output.area())};
          multiply<T, I>(problem, g.groups, g.group_out(), n, g.taps());
        });
  });
}

template <class T>
void input_product(const Conv2dGeometry& asked, const T* dy, const T* w, T* dx,
                   const Epilogue<T>& end) {
  const Conv2dGeometry g = without_rows(asked);
  constexpr Index pack = gpu::pack_of<T>;
  const PhaseAxis down(g.kernel.height, g.stride.height, g.padding.height, g.dilation.height);
  const PhaseAxis across(g.kernel.width, g.stride.width, g.padding.width, g.dilation.width);
  const Size2 phases{std::min(g.stride.height, g.input.height),
                     std::min(g.stride.width, g.input.width)};
  const Size2 lattice{divide_up(g.input.height, g.stride.height),
                      divide_up(g.input.width, g.stride.width)};
  const Size2 taps{down.most_taps(), across.most_taps()};
  const Index n = g.batch * lattice.area(), k = g.group_out() * taps.area();
  const bool packs = is_pointwise(g) && gpu::packable(dy, w) && g.output.area() % pack == 0 &&
                     g.group_in() % pack == 0;
  with_conv_index(g, [&]<class I>(I) {
    const auto run = [&]<bool Along, int V>(std::bool_constant<Along>,
                                            std::integral_constant<int, V>) {
      using Problem = InputProblem<T, I, Along, V>;
      const Pixels<I> seen(lattice, g.out_channels * g.output.area(), g.output.width, 1, 0);
      const Pixels<I> stored(lattice, g.in_channels * g.input.area(), g.input.width, g.stride, 0);
      const KernelTaps<I> back(taps, g.output, {-down.back, -across.back});
      const Problem problem{
          {static_cast<I>(g.group_in()),
           static_cast<I>(n),
           static_cast<I>(k),
           {w, DivMod<I>(taps.height), DivMod<I>(taps.width), static_cast<I>(g.kernel.area()),
            static_cast<I>(g.taps()), static_cast<I>(down.every * g.kernel.width),
            static_cast<I>(across.every)},
           {dy, static_cast<I>(g.output.height), static_cast<I>(g.output.width), seen, back},
           {dx, end, static_cast<I>(g.input.height), static_cast<I>(g.input.width), stored,
            gpu::packable(dx) && g.stride == Size2(1) && g.input.area() % pack == 0}},
          down,
          across,
          DivMod<I>(phases.height),
          DivMod<I>(phases.width),
          DivMod<I>(taps.height),
          DivMod<I>(taps.height - 1),
          DivMod<I>(taps.width),
          DivMod<I>(taps.width - 1),
          static_cast<I>(g.group_out()),
          static_cast<I>(g.kernel.width),
          static_cast<I>(g.group_out() * g.output.area()),
          static_cast<I>(g.group_in() * g.input.area())};
      multiply<T, I>(problem, g.groups * phases.area(), g.group_in(), n, k);
    };
    if constexpr (sizeof(I) == 4)
      if (packs) return run(std::true_type{}, std::integral_constant<int, gpu::pack_of<T>>{});
    run(std::false_type{}, std::integral_constant<int, 1>{});
  });
}

template <class T>
void weight_product(const Conv2dGeometry& asked, const T* x, const T* dy, const Into<T, 4>& dw) {
  const Conv2dGeometry g = without_rows(asked);
  constexpr Index pack = gpu::pack_of<T>;
  const Index k = g.batch * g.output.area(), image = g.in_channels * g.input.area();
  const bool planes = gpu::packable(dy) && g.output.area() % pack == 0;
  with_conv_index(g, [&]<class I>(I) {
    with_conv_packs<T, I>(
        planes, planes && gpu::packable(x) && is_pointwise(g),
        [&]<int VY, int VX>(std::integral_constant<int, VY>, std::integral_constant<int, VX>) {
          using Problem = WeightProblem<T, I, VY, VX>;
          const Pixels<I> seen(g.output, image, g.input.width, g.stride,
                               {-g.padding.height, -g.padding.width});
          const auto height = static_cast<I>(g.input.height);
          const auto width = static_cast<I>(g.input.width);
          const Problem problem{
              {static_cast<I>(g.group_out()),
               static_cast<I>(g.taps()),
               static_cast<I>(k),
               {dy, DivMod<I>(g.output.area()), static_cast<I>(g.out_channels * g.output.area())},
               {x, height, width, KernelTaps<I>(g.kernel, g.input, g.dilation), seen},
               {dw.data, {dw.size()}, dw.add},
               gpu::packable(dw.data) && g.taps() % pack == 0},
              static_cast<I>(g.group_in() * g.input.area()),
              static_cast<I>(g.group_out() * g.output.area())};
          multiply<T, I>(problem, g.groups, g.group_out(), g.taps(), k);
        });
  });
}

}  // namespace detail

/// Kernel: y = conv2d(x, w), and then what `end` says.
template <class T>
void conv2d_forward(Cuda, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> w,
                    View<T, 4> y, const Epilogue<T>& end = {}) {
  if constexpr (std::is_same_v<T, float>)
    if (detail::patch_convolution<false>(g, x.data, w.data, y.data, end)) return;
  if (!detail::few_channels(g)) return detail::forward_product(g, x.data, w.data, y.data, end);
  detail::with_conv_index(g, [&]<class I>(I) {
    gpu::launch(gpu::blocks_for(y.size()), gpu::block_size, 0, detail::few_forward_kernel<T, I>,
                detail::FewChannels<I>(g), static_cast<I>(y.size()), x.data, w.data, y.data, end);
  });
}

/// Kernel: the gradient of the input; the forward pass of a transposed convolution, where `bias`
/// is added to every input channel.
template <class T>
void conv2d_grad_input(Cuda, const Conv2dGeometry& g, View<const T, 4> dy, View<const T, 4> w,
                       View<const T, 1> bias, Into<T, 4> dx) {
  const Epilogue<T> end{bias.data, dx.add ? dx.data : nullptr, {}};
  if constexpr (std::is_same_v<T, float>)
    if (detail::patch_convolution<true>(g, dy.data, w.data, dx.data, end)) return;
  if (!detail::few_channels(g)) return detail::input_product(g, dy.data, w.data, dx.data, end);
  detail::with_conv_index(g, [&]<class I>(I) {
    gpu::launch(gpu::blocks_for(dx.size()), gpu::block_size, 0, detail::few_grad_input_kernel<T, I>,
                detail::FewChannels<I>(g), static_cast<I>(dx.size()), dy.data, w.data, bias.data,
                Into<T, 1>{dx.data, {dx.size()}, dx.add});
  });
}

/// Kernel: the gradient of the weight.
template <class T>
void conv2d_grad_weight(Cuda, const Conv2dGeometry& g, View<const T, 4> x, View<const T, 4> dy,
                        Into<T, 4> dw) {
  if constexpr (std::is_same_v<T, float>)
    if (detail::patch_grad_weight(g, x.data, dy.data, dw)) return;
  if (!detail::few_channels(g)) return detail::weight_product(g, x.data, dy.data, dw);
  detail::with_conv_index(g,
                          [&]<class I>(I) { detail::few_grad_weight<I>(g, x.data, dy.data, dw); });
}

namespace detail {

/// The gradient before a relu, written on the way: dy where its result y is positive.
template <class T>
struct Rectified {
  const T *y, *dy;
  T* dx;
  template <class I>
  EBB_DEVICE T operator()(I, const I (&at)[1], I) const {
    const T slope = y[at[0]] <= T(0) ? T(0) : T(1);
    return dx[at[0]] = slope * dy[at[0]];
  }
};

template <class T, class Values>
void sum_channels_of(const Shape<4>& shape, const Values& values, const Into<T, 1>& sum) {
  const Index area = shape[2] * shape[3];
  Loop<4, 2> loop;
  loop.push(shape[0], {0, shape[1] * area});
  loop.push(shape[1], {1, area});
  loop.push(area, {0, 1});
  fold_on_gpu<T>(loop, AddUp{}, values, PutTotal<T>{sum});
}

}  // namespace detail

/// Kernel: sum[c] (+)= the sum of channel c over images and pixels; the gradient of a bias.
template <class T>
void sum_channels(Cuda, View<const T, 4> x, Into<T, 1> sum) {
  detail::sum_channels_of(x.shape, detail::Elements<T>{x.data}, sum);
}

/// Kernel: the same for dx, the gradient before a relu, which is written on the way: dy where the
/// relu's result y is positive. dx may be dy.
template <class T>
void sum_rectified_channels(Cuda, View<const T, 4> y, View<const T, 4> dy, View<T, 4> dx,
                            Into<T, 1> sum) {
  detail::sum_channels_of(y.shape, detail::Rectified<T>{y.data, dy.data, dx.data}, sum);
}

#define EBB_CONV2D_ON_CUDA(T)                                                                     \
  EBB_COMPILED_ON_CUDA(void conv2d_forward<T>(Cuda, const Conv2dGeometry&, View<const T, 4>,      \
                                              View<const T, 4>, View<T, 4>, const Epilogue<T>&))  \
  EBB_COMPILED_ON_CUDA(void conv2d_grad_input<T>(Cuda, const Conv2dGeometry&, View<const T, 4>,   \
                                                 View<const T, 4>, View<const T, 1>, Into<T, 4>)) \
  EBB_COMPILED_ON_CUDA(void conv2d_grad_weight<T>(Cuda, const Conv2dGeometry&, View<const T, 4>,  \
                                                  View<const T, 4>, Into<T, 4>))                  \
  EBB_COMPILED_ON_CUDA(void sum_channels<T>(Cuda, View<const T, 4>, Into<T, 1>))                  \
  EBB_COMPILED_ON_CUDA(void sum_rectified_channels<T>(Cuda, View<const T, 4>, View<const T, 4>,   \
                                                      View<T, 4>, Into<T, 1>))
EBB_CONV2D_ON_CUDA(float)
EBB_CONV2D_ON_CUDA(double)
#undef EBB_CONV2D_ON_CUDA

}  // namespace ebb::kernel
