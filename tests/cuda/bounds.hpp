/// \file
/// How far products on tensor cores may be from exact ones, and checks that hold them to it. A test
/// that uses it includes tests/support/gpu_emulator.hpp first, where there is no nvcc.
#pragma once

#include "tests/cuda/compare.hpp"

namespace ebb::test {

/// How far a product may be from the exact one, relative to the product of the absolute values of
/// its factors. Rounding to b bits after the point moves a factor by u = 2^-(b+1) of itself at
/// most, so a product of two by 2u + u^2; and each of k additions in float by 2^-24 of the sum so
/// far, or 2^-23 where it is truncated, as tensor cores may.
inline double bound(cuda::Precision precision, Index k) {
  const double u = precision == cuda::Precision::tf32   ? std::exp2(-11)
                   : precision == cuda::Precision::bf16 ? std::exp2(-8)
                                                        : 0;
  return 2 * u + u * u + static_cast<double>(k) * std::exp2(-23);
}

template <class To, class T, int N>
Tensor<To, N> absolute(const Tensor<T, N>& x, bool all_positive) {
  Tensor<To, N> y(x.shape());
  for (Index i = 0; i < x.size(); ++i)
    y.mutable_data()[i] = static_cast<To>(all_positive ? std::fabs(x.data()[i]) : x.data()[i]);
  return y;
}

/// The largest error of `kernel(device, a, b, into)` on Cuda in units of its bound, over whatever
/// was in `into` before.
template <int N, int A, class Kernel>
double error_in_bounds(cuda::Precision precision, const Shape<N>& shape, Index k,
                       const Tensor<float, A>& a, const Tensor<float, A>& b, const Kernel& kernel) {
  const auto on_cpu = [&](bool all_positive) {
    Tensor<double, N> y(shape);
    const auto u = absolute<double>(a, all_positive), v = absolute<double>(b, all_positive);
    kernel(Cpu{}, u.view(), v.view(), Into<double, N>{y.mutable_data(), shape});
    return y;
  };
  const auto expected = on_cpu(false), scale = on_cpu(true);
  const auto u = to<Cuda>(a), v = to<Cuda>(b);
  Tensor<float, N, Cuda> y(shape);
  {
    const cuda::PrecisionScope scope(precision);
    kernel(Cuda{}, u.view(), v.view(), Into<float, N>{y.mutable_data(), shape});
  }
  const auto got = y.values();
  double worst = 0;
  for (Index i = 0; i < expected.size(); ++i) {
    const double error =
        std::fabs(static_cast<double>(got[static_cast<std::size_t>(i)]) - expected.data()[i]);
    if (!(error <= 1e30)) return INFINITY;
    worst = std::fmax(worst, error / (bound(precision, k) * scale.data()[i]));
  }
  return worst;
}

/// Within its bound, and not so far within it that it was not rounded at all.
template <int N, int A, class Kernel>
void check_bounds(const Shape<N>& shape, Index k, const Tensor<float, A>& a,
                  const Tensor<float, A>& b, const Kernel& kernel) {
  CHECK(error_in_bounds(cuda::Precision::fp32, shape, k, a, b, kernel) <= 1);
  for (const cuda::Precision precision : {cuda::Precision::tf32, cuda::Precision::bf16}) {
    const double error = error_in_bounds(precision, shape, k, a, b, kernel);
    CAPTURE(to_string(shape), k, to_string(a.shape()), static_cast<int>(precision));
    CHECK(error <= 1);
    CHECK(error > 0.01);
  }
}

/// All passes of a convolution.
inline void check_conv_bounds(const Shape<4>& x_shape, const Shape<4>& w_shape,
                              const Conv2dOptions& options) {
  const kernel::Conv2dGeometry g =
      ebb::kernel::detail::conv2d_geometry("", x_shape, w_shape, options);
  const Shape<4> y_shape{g.batch, g.out_channels, g.output.height, g.output.width};
  const auto x = random<float>(x_shape, 1), w = random<float>(w_shape, 2);
  const auto dy = random<float>(y_shape, 3);
  check_bounds(y_shape, g.taps(), x, w,
               [&](auto device, const auto& u, const auto& v, const auto& y) {
                 conv2d_forward(device, g, u, v, y.view());
               });
  check_bounds(x_shape, g.group_out() * g.kernel.area(), dy, w,
               [&](auto device, const auto& u, const auto& v, const auto& y) {
                 using T = std::remove_cvref_t<decltype(*y.data)>;
                 conv2d_grad_input(device, g, u, v, View<const T, 1>{}, y);
               });
  check_bounds(w_shape, g.batch * g.output.area(), x, dy,
               [&](auto device, const auto& u, const auto& v, const auto& y) {
                 conv2d_grad_weight(device, g, u, v, y);
               });
}

}  // namespace ebb::test
